"""Programs that run a Lambda function's handler: they speak AWS's Lambda Runtime API, which the cloud serves.

    GET  …/runtime/invocation/next              an event and the header Lambda-Runtime-Aws-Request-Id
    POST …/runtime/invocation/<id>/response     the handler's result
    POST …/runtime/invocation/<id>/error        its exception
    POST …/runtime/init/error                   a module or handler that cannot be loaded

Import nothing of the other packages. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""
