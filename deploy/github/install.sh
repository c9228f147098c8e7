#!/usr/bin/env bash
# Finds the program, or downloads it and holds it against its checksum. Its path becomes the output `program`.
set -euo pipefail

refuse() {
    echo "::error title=selvedge::$1" >&2
    exit 2
}

if [[ -n ${INPUT_BINARY:-} ]]; then
    program=$(realpath -- "$INPUT_BINARY") || refuse "the input binary names no file"
    [[ -f $program && -x $program ]] || refuse "the input binary names no program"
else
    [[ ${INPUT_ARCHIVE_URL:-} == https://* ]] || refuse "give the input binary, or archive-url, which begins with https://"
    # Without it whoever can write where the archive is could run what he likes, with the rights to deploy.
    [[ ${INPUT_ARCHIVE_SHA256:-} =~ ^[0-9a-fA-F]{64}$ ]] || refuse "archive-sha256 must be the 64 digits of the archive's SHA-256"
    folder=$(mktemp --directory -- "$RUNNER_TEMP/selvedge.XXXXXX")
    # A redirect to http is refused, too.
    curl --proto '=https' --proto-redir '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --max-time 300 \
        --output "$folder/archive.tar.gz" --url "$INPUT_ARCHIVE_URL" || refuse "the archive cannot be downloaded"
    echo "${INPUT_ARCHIVE_SHA256,,}  $folder/archive.tar.gz" | sha256sum --check --strict --quiet ||
        refuse "the archive is not the one that archive-sha256 is about"
    tar --extract --gzip --file "$folder/archive.tar.gz" --directory "$folder" --no-same-owner selvedge ||
        refuse "the archive has no file selvedge at its root"
    program=$folder/selvedge
fi
"$program" --version
echo "program=$program" >>"$GITHUB_OUTPUT"
