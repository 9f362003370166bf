"""``limpid remote bundle``: a zip that trains wherever there is a Python and a shell: Colab, RunPod, a machine by SSH."""

import shlex
import tempfile
import zipfile
from pathlib import Path

from limpid.errors import UsageError
from limpid.files import replacing
from limpid.remote.options import BundleOptions
from limpid.remote.parcel import Parcel, check_parcel, pack, train_words

_RUN = """\
#!/bin/sh
# Installs limpid here and trains{names}; run it again to go on where a run stands.
#   PYTHON       the interpreter (python3)
#   PIP_OPTIONS  further words for pip, such as --user
# Words after run.sh go to `limpid train`.{places}
set -eu
cd "$(dirname "$0")"
python="${{PYTHON:-python3}}"
{checks}"$python" -m pip install ${{PIP_OPTIONS:-}} "$(ls limpid-*.whl)[train]"
train() {{
    run="$1"; shift
    if [ -e "runs/$run/last.pt" ]; then set -- "$@" --resume; {init}fi
    "$python" -m limpid "$@"
}}
{commands}
tar czf runs.tgz runs
echo "done: runs/, and the same in runs.tgz"
"""


def write_bundle(options: BundleOptions) -> Path:
    """Write the zip; returns its path. Raises UsageError when it exists, and what ``check_parcel`` raises."""
    if options.output.exists() and not options.overwrite:
        raise UsageError(f"{options.output} exists; choose another name with -o or add --overwrite")
    parcel = check_parcel(options)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "bundle")
        pack(parcel, folder)
        script = folder / "run.sh"
        script.write_text(run_script(options, parcel), encoding="utf-8")
        script.chmod(0o755)
        with replacing(options.output) as partial, zipfile.ZipFile(partial, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, f"{options.output.stem}/{path.name}")
    return options.output


def run_script(options: BundleOptions, parcel: Parcel) -> str:
    """The shell script of a bundle: places without a folder come from the environment, and are asked for before anything."""
    init = parcel.init.name if parcel.init is not None else options.init
    start = f'else set -- "$@" --init {shlex.quote(init)}; ' if init is not None else ""
    commands = [
        shlex.join(["train", run, *train_words(options, recipe, None)]) + ' "$@"'
        for recipe, run in zip(parcel.recipes, parcel.names, strict=True)
    ]
    places = sorted(parcel.places)
    return _RUN.format(
        names="".join(f" {name}" for name in parcel.names),
        places="".join(f"\n#   {name:<12} folder of photos, which the recipe calls ${name}" for name in places),
        checks="".join(
            f': "${{{name}:?set {name} to the folder that the recipe calls \\${name}}}"; export {name}\n' for name in places
        ),
        init=start,
        commands="\n".join(commands),
    )
