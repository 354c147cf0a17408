#!/usr/bin/env bash
# Takes the Dockerfile's steps without a container engine: its packages in a clean virtual environment, the service started by
# another user who can write to two folders only, asked, told a rating, asked by the health check; then the commands.
# Usage: ops/check_image.sh [FOLDER], which has dvc.lock and what the pipeline made; default: the repository.
# PYTHON is an interpreter that every user may run; by default the system's.
set -euo pipefail

python=${PYTHON:-/usr/bin/python3} token=a-token-of-some-length server=
source=$(cd "$(dirname "$0")/.." && pwd)
made=$(cd "${1:-$source}" && pwd)
work=$(mktemp --directory)
finish() {
    [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    rm --recursive --force "$work"
}
trap finish EXIT
fail() { echo "error: $*" >&2; tail --lines 20 "$work/log" >&2; exit 1; }

chmod 755 "$work"
mkdir "$work"/{build,root,tmp,state}
touch "$work/log"
[[ -d $made/data/clean ]] || fail "$made lacks what the pipeline makes: run \`make repro\` first"
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps --require-hashes --requirement "$source/ops/requirements.lock"
(cd "$source" && cp --recursive pyproject.toml README.md LICENSE movierec "$work/build")
"$work/venv/bin/pip" install --quiet --no-deps --no-build-isolation "$work/build"
(cd "$made" && cp --recursive --dereference --parents dvc.lock params.yaml metrics models data/clean "$work/root")
chmod --recursive a-w,a+rX "$work/root"

user=(env --chdir="$work/root" --ignore-environment PATH="$work/venv/bin:/usr/bin:/bin" HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1
    NUMBA_CACHE_DIR="$work/tmp/numba" MOVIEREC_DATABASE_URL="sqlite:///$work/state/ratings.db" MOVIEREC_API_TOKEN="$token")
if ((EUID == 0)); then # anyone else is unprivileged already
    chown 10001 "$work"/{tmp,state}
    user=(setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --inh-caps=-all "${user[@]}")
fi
! "${user[@]}" touch written 2>/dev/null || fail "the folder of the models can be written to"

port=$("$python" -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
at=http://127.0.0.1:$port
ask() { curl --silent --show-error --fail --max-time 10 --header "Authorization: Bearer $token" "$@"; }
"${user[@]}" movierec serve --port "$port" 2>"$work/log" &
server=$!
for ((tries = 0; ; tries++)); do
    ! ask "$at/health/ready" >/dev/null 2>&1 || break
    { kill -0 "$server" 2>/dev/null && ((tries < 120)); } || fail "the service ended, or is not ready within a minute"
    sleep 0.5
done
[[ $(ask "$at/v1/users/1/recommendations") == *'"strategy":"personal"'* ]] || fail "no recommendation"
rating='{"user_id": 2000000000, "movie_id": 1, "rating": 4.5}'
[[ $(ask "$at/v1/ratings" --json "$rating") == *'"stored":true'* ]] || fail "the rating was not stored"
[[ $(ask "$at/v1/users/2000000000/recommendations") == *'"strategy":"folded_in"'* ]] || fail "the rating has no effect"
ask "$at/v1/experiments/$(sed -n 's/^  experiment: *//p' "$work/root/params.yaml")/results" >/dev/null || fail "no results"
health=$(sed -n '/^HEALTHCHECK/,/CMD/s/^ *CMD \["python", "-c", "\(.*\)"\]$/\1/p' "$source/Dockerfile")
{ [[ $health == *:8000/* ]] && "${user[@]}" python -c "${health/:8000/:$port}"; } || fail "the health check fails"
for command in "recommend --user 1" "similar river" "predict --user 1 --movie 1" "ratings export $work/state/export"; do
    # shellcheck disable=SC2086  # words of a command
    "${user[@]}" movierec $command >/dev/null 2>"$work/log" || fail "movierec $command fails"
done
echo "served, stored and healthy as user $("${user[@]}" id --user); $(du --summarize --block-size=1M "$work/venv" | cut --fields 1) MB installed"
