// Runs a Node handler: an async function, or one that takes a callback.
import path from "node:path";
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { env } = process;
const api = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const post = (to, body) => fetch(`${api}/${to}`, { method: "POST", body });
const described = (error) =>
  JSON.stringify({
    errorMessage: String(error?.message ?? error),
    errorType: error?.name ?? typeof error,
    trace: String(error?.stack ?? "").split("\n"),
  });

async function load(name) {
  const dot = name.lastIndexOf(".");
  const file = path.join(env.LAMBDA_TASK_ROOT, name.slice(0, dot));
  const module = existsSync(`${file}.mjs`)
    ? await import(pathToFileURL(`${file}.mjs`))
    : createRequire(`${file}.js`)(`${file}.js`);
  const handler = module[name.slice(dot + 1)];
  if (typeof handler !== "function") throw new Error(`${name} is not a function`);
  return handler;
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const result = handler(event, context, (error, value) => (error ? reject(error) : resolve(value)));
    if (typeof result?.then === "function") result.then(resolve, reject);
    else if (handler.length < 3) resolve(result);
  });
}

let handler;
try {
  handler = await load(env._HANDLER);
} catch (error) {
  console.error(error);
  await post("init/error", described(error));
  process.exit(1);
}
for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  if (next.status !== 200) process.exit(0);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const ends = performance.now() + Number(next.headers.get("lambda-runtime-remaining-ms"));
  const context = {
    awsRequestId: id,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: next.headers.get("lambda-runtime-invoked-function-arn"),
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(ends - performance.now())),
  };
  try {
    const result = await run(handler, await next.json(), context);
    await post(`invocation/${id}/response`, JSON.stringify(result ?? null));
  } catch (error) {
    console.error(error);
    await post(`invocation/${id}/error`, described(error));
  }
}
