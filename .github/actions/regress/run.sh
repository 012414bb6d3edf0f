#!/usr/bin/env bash
# Runs `layerbench regress` with the inputs of action.yml, which come as environment variables.
# Each is one word of the command whatever is in it, and those that are lists have a word a line.
set -euo pipefail

words=()

each_line() { # each_line OPTION LINES: adds OPTION=LINE, or the bare line where OPTION is empty
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    if [ -n "$line" ]; then words+=("${1:+$1=}$line"); fi
  done <<<"$2"
}

words+=("--base=$BASE" "--head=$HEAD" "--threshold=$THRESHOLD")
each_line --suite "$SUITE"
each_line --format "$FORMATS"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then words+=("--format=summary=$GITHUB_STEP_SUMMARY"); fi
if [ -n "$BUDGET" ]; then words+=("--budget=$BUDGET"); fi
case $STRICT in
  true) words+=(--strict) ;;
  false) ;;
  *) printf 'strict is true or false, not %q\n' "$STRICT" >&2 && exit 2 ;;
esac
each_line "" "$ARGS"
if [ -n "$SWEEP" ]; then words+=("$SWEEP"); fi

exec layerbench regress "${words[@]}"
