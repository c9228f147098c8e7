#!/usr/bin/env bash
# Runs one command of selvedge. What it is comes as variables, which are words here and never a part of this script.
set -euo pipefail

refuse() {
    echo "::error title=selvedge::$1" >&2
    exit 2
}

case ${INPUT_COMMAND:-} in
plan | deploy)
    arguments=("$INPUT_COMMAND" "--env=${INPUT_ENVIRONMENT:-dev}")
    if [[ -n ${INPUT_CONFIG:-} ]]; then
        arguments+=("--config=$INPUT_CONFIG")
    fi
    # Nobody is there to be asked: who approves is the environment of the job.
    if [[ $INPUT_COMMAND == deploy ]]; then
        arguments+=(--yes)
    fi
    ;;
list)
    arguments=(transactions list)
    ;;
show | resume | rollback)
    [[ ${INPUT_TRANSACTION:-} =~ ^[0-9A-Za-z][0-9A-Za-z-]*$ ]] || refuse "$INPUT_COMMAND needs the id of a transaction; the command list shows them"
    arguments=(transactions "$INPUT_COMMAND" "$INPUT_TRANSACTION")
    ;;
*)
    refuse "the input command must be plan, deploy, list, show, resume or rollback"
    ;;
esac

cd -- "${INPUT_WORKING_DIRECTORY:-.}"
exec "${INPUT_PROGRAM:?}" "${arguments[@]}"
