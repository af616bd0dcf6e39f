"""Shell scripts for a container's processes, run in it by ECS Exec.

The main process is the oldest of the container except its init process. It is found by /proc and the metadata variable
that ECS gives to every process, so the script works even where the machine's other processes are visible. Root in a
container may not read the environment of its user's processes; but a process that entered a container from outside has
no parent in it, and then the main process is init's oldest child.
"""

from __future__ import annotations

NOTHING_FOUND = 3
"""The exit code when no process but init runs there."""

_FIND_MAIN = (
    'v="ECS_CONTAINER_METADATA_URI_V4=${ECS_CONTAINER_METADATA_URI_V4:?}"; main=; oldest=; parent=; top=$$; '
    "s=$(cat /proc/$$/stat); set -- ${s##*) }; mine=$4; "
    'while [ "$2" != 0 ]; do top=$2; s=$(cat "/proc/$top/stat"); set -- ${s##*) }; done; '
    'look() { s=$(cat "/proc/$1/stat" 2>/dev/null) || return 0; p=$1; of=$2; set -- ${s##*) }; '
    '[ "$4" = "$mine" ] && return 0; [ "${of:-$2}" = "$2" ] || return 0; '
    'if [ -z "$main" ] || [ "${20}" -lt "$oldest" ] || { [ "${20}" = "$oldest" ] && [ "$parent" = "$p" ]; }; '
    "then main=$p; oldest=${20}; parent=$2; fi; }; "
    'for n in $(grep -lsF "$v" /proc/[0-9]*/environ | cut -d/ -f3); do [ "$n" = 1 ] || look "$n"; done; '
    'if [ -z "$main" ] && [ "$top" != 1 ] && [ "$(id -u)" = 0 ] && { [ ! -r /proc/1/environ ] || '
    '! cat /proc/1/environ >/dev/null 2>&1 || grep -qsF "$v" /proc/1/environ; }; '
    'then for n in /proc/[0-9]*; do look "${n#/proc/}" 1; done; fi; '
    f'[ -n "$main" ] || {{ echo "no process but init runs here"; exit {NOTHING_FOUND}; }}; '
)
"""Fields of /proc/<pid>/stat behind the name, which may contain anything: 2 is the parent, 4 the session (this
shell's own does not count), 20 the start time."""

KILL = _FIND_MAIN + 'echo "killing $main"; kill -9 "$main"'


def use_up_memory(limit: int) -> str:
    """Grow until the kernel kills the main process, which is marked as the one to kill. Refuses to run without a limit
    of at most this many bytes, so that it never uses up the machine's memory."""
    return (
        "limit=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1); "
        f'[ "$limit" -le {limit} ] 2>/dev/null || {{ echo "its limit is ${{limit:-unknown}}, not {limit}"; exit 8; }}; '
        + _FIND_MAIN
        + 'echo 1000 > "/proc/$main/oom_score_adj" || exit 6; x=0123456789abcdef; '
        f'while [ "${{#x}}" -lt {limit} ]; do x=$x$x; done; echo "nothing happened at {limit} bytes"; exit 7'
    )


def pause(wall_seconds: float) -> str:
    """Stop the main process and its descendants, and print their ids. They resume by themselves after so many wall
    seconds."""
    return (
        _FIND_MAIN
        + 'tree=" $main "; grown=1; kill -STOP "$main"; while [ "$grown" = 1 ]; do grown=0; '
        + 'for f in /proc/[0-9]*/stat; do s=$(cat "$f" 2>/dev/null) || continue; p=${f#/proc/}; p=${p%/stat}; '
        + 'set -- ${s##*) }; case "$tree" in *" $p "*) continue;; esac; '
        + 'case "$tree" in *" $2 "*) kill -STOP "$p" && tree="$tree$p " && grown=1;; esac; done; done; '
        + _left_behind(f"sleep {wall_seconds:g}; kill -CONT $1", '"$tree"')
        + '; echo "paused$tree"'
    )


def states(pids: list[str]) -> str:
    """Print the kernel's state of each process: T is stopped."""
    return (
        f"for p in {' '.join(pids)}; do "
        's=$(cat "/proc/$p/stat" 2>/dev/null) || { echo "$p gone"; continue; }; set -- ${s##*) }; echo "$p $1"; done'
    )


def resume(pids: list[str]) -> str:
    """Let the processes continue; ignores those that are gone."""
    return f"kill -CONT {' '.join(pids)} 2>/dev/null; true"


_POST = (
    'post() { if command -v curl >/dev/null; then curl -sS -m 5 -X POST -d "$2" "$u/$1"; '
    "elif command -v python3 >/dev/null; then python3 -c 'import sys, urllib.request as r; "
    'print(r.urlopen(r.Request(sys.argv[1], sys.argv[2].encode(), method="POST"), timeout=5).read().decode())\' '
    '"$u/$1" "$2"; else wget -qO- -T 5 --post-data "$2" "$u/$1"; fi; }; '
)


def blackhole(port: int, wall_seconds: float) -> str:
    """Ask the container agent to drop packets to a TCP port for so many wall seconds. It ends by itself, because a task
    that is cut off takes no commands. It begins a moment after this command has ended.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fault-injection.html
    """
    body = f'{{"Port":{port},"Protocol":"tcp","TrafficType":"egress"}}'
    inner = (
        f'u="${{ECS_AGENT_URI}}/fault/v1/network-blackhole-port"; {_POST}'
        f'sleep 0.3; post start "$1"; sleep {wall_seconds:g}; '
        'for n in 1 2 3; do case "$(post stop "$1")" in *stopped*) break;; esac; sleep 6; done'
    )
    return (
        '[ -n "$ECS_AGENT_URI" ] || { echo "no ECS_AGENT_URI"; exit 4; }; '
        f'u="${{ECS_AGENT_URI}}/fault/v1/network-blackhole-port"; {_POST}'
        f"post status '{body}' || exit 5; " + _left_behind(inner, f"'{body}'")
    )


def _left_behind(script: str, argument: str) -> str:
    """Starts a script, with one argument, that outlives its shell. The substitution ends once the script, then in a
    session of its own, closes its output; ending the shell's session does not end the script's."""
    quoted = script.replace("'", "'\"'\"'")
    return f"started=$(setsid sh -c 'exec >/dev/null 2>&1; {quoted}' sh {argument} </dev/null &)"
