#!/usr/bin/env bash
# Everything that only a GPU can tell, on a bare machine that has one for a few minutes; the most valuable comes first.
#
#   benchmarks/gpu_session.sh [--minutes 5] [--output FOLDER] [--wheels FOLDER] [--device cuda|cpu] [--tiny]
#
# The machine needs Python 3.12 with torch, torchvision, lightning, timm, onnx, onnxruntime, numba, pandas, scikit-learn,
# rich and pytest. What else is missing comes from the wheels that `make gpu-wheels` has put into .gpu-wheels; nothing
# is downloaded. Each result stands in FOLDER as soon as it is there:
#   machine.txt       what the machine is
#   tests.txt         the tests marked gpu
#   resnet18.tsv      ResNet-18 by the published recipe, as gpu.py describes it
#   one_seed.tsv      one seed of each model at the published size, as one_seed.py describes it
#   modes.tsv         what determinism, precision, compiling and recording cost
# With `--device cpu --tiny` all of it runs on a CPU, on a few small frames, to try the script itself.
set -uo pipefail
cd "$(dirname "$0")/.."

minutes=5 output=gpu-session wheels=.gpu-wheels device=cuda tiny=
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --output) output=$2; shift 2 ;;
        --wheels) wheels=$2; shift 2 ;;
        --device) device=$2; shift 2 ;;
        --tiny) tiny=yes; shift ;;
        *) echo "gpu_session.sh: unknown option $1; see the first lines of this file" >&2; exit 2 ;;
    esac
done
mkdir -p "$output"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
deadline=$(($(date +%s) + minutes * 60))
failed=0

within() {  # within SECONDS FILE COMMAND...: run a part no longer than it may and the time that is left
    local limit=$1 file=$2 left=$((deadline - $(date +%s)))
    shift 2
    if [ "$left" -lt 5 ]; then
        echo "not run: the $minutes minutes are over" | tee "$output/$file"
        failed=1
        return
    fi
    local started=$(date +%s)
    timeout -k 5 "$((limit < left ? limit : left))" "$@" > "$output/$file" 2> "$output/$file.log"
    local code=$?
    [ "$code" -eq 0 ] && rm -f "$output/$file.log" || { failed=1; tail -n 15 "$output/$file.log" >&2; }
    echo "== $file: $(($(date +%s) - started)) s, exit code $code"
    cat "$output/$file"
}

if compgen -G "$wheels/*.whl" > /dev/null; then
    missing=()
    for wheel in "$wheels"/*.whl; do
        name=$(basename "$wheel" | cut -d- -f1)
        python3 -c "import importlib.metadata as m, sys; m.distribution(sys.argv[1])" "$name" 2> /dev/null || missing+=("$wheel")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        python3 -m pip install -q --no-index --no-deps --no-compile --target "$data/site" "${missing[@]}" || exit 1
        export PYTHONPATH=$data/site${PYTHONPATH:+:$PYTHONPATH}
    fi
fi
export PYTHONPATH=$PWD/src:${PYTHONPATH:-} PYTHONUNBUFFERED=1

frames=(--frames 24204 --size 224) scale=(--scale 1) seed=() modes=(--frames 6144 --size 224 --epochs 2)
if [ "$tiny" ]; then
    frames=(--frames 64 --size 32) scale=(--scale 0.02 --size-px 64) seed=(--epochs 1) modes=(--frames 64 --size 32 --epochs 1)
fi

within 20 machine.txt python3 - <<'PYTHON'
import os, platform, torch, torchvision
print(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU", f"{os.cpu_count()} cores", sep="; ")
print(f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}")
PYTHON
# The cores render while the GPU is tested; nothing is timed meanwhile.
python3 benchmarks/published_size.py "$data" "${scale[@]}" > "$output/render.log" 2>&1 &
rendering=$!
within 100 tests.txt python3 -m pytest -o addopts= -p no:cacheprovider -p no:logging -q -n 4 --dist worksteal -m gpu tests/gpu
wait "$rendering" || { failed=1; cat "$output/render.log" >&2; }
within 90 resnet18.tsv python3 benchmarks/gpu.py --device "$device" "${frames[@]}" --modes recorded --batch-sizes 32 256 --epochs 1
within 240 one_seed.tsv python3 benchmarks/one_seed.py "$data" --device "$device" "${seed[@]}"
within 120 modes.tsv python3 benchmarks/gpu.py --device "$device" "${modes[@]}" --batch-sizes 256 32
exit "$failed"
