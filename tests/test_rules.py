"""Rules of the design that nothing else would notice being broken."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
import torch
from timing import processor_s

import ganskit

PACKAGE = Path(ganskit.__file__).parent


def imports(file: Path) -> set[str]:
    """Modules of ganskit that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "ganskit"}


def test_the_core_imports_no_plugin_and_arrows_point_one_way() -> None:
    checked = 0
    for file in PACKAGE.rglob("*.py"):
        inside = file.relative_to(PACKAGE).parts[0]
        if inside in ("dcgan", "plugins.py", "cli", "__main__.py"):
            continue
        names = imports(file)
        checked += 1
        assert not any(name.startswith(("ganskit.dcgan", "ganskit.cli")) for name in names), file
        if inside in ("engine", "data"):
            assert not any(name.startswith("ganskit.evaluate") for name in names), file
        if inside == "data":
            assert not any(name.startswith("ganskit.engine") for name in names), file
    assert checked > 40


def test_the_built_in_plugin_uses_public_names_only() -> None:
    """Everything it takes from ganskit is in `ganskit.__all__` or on an API page, as for plugins of others."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (Path(__file__).parents[1] / "docs/api").glob("*.md"))
    public = set(ganskit.__all__) | {name.rpartition(".")[2] for name in re.findall(r"^::: (ganskit\.\S+)", pages, re.MULTILINE)}
    taken = set()
    for file in (PACKAGE / "dcgan").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module.startswith("ganskit") and not module.startswith(("ganskit.dcgan", "ganskit.validators")):
                taken |= {alias.name for alias in node.names}
    assert len(taken) > 10
    assert taken - public == set()


def test_no_pickle_eval_or_shell() -> None:
    """Called nowhere: eval, exec, os.system, torch.load, anything of pickle or joblib; no such flag given."""
    names = {"eval", "exec", "os.system", "torch.load"}
    files = list(PACKAGE.rglob("*.py"))
    assert len(files) > 60
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                loads = file.name == "weights.py" and "weights_only=True" in ast.unparse(node)  # DESIGN, section 4: one exception
                assert ast.unparse(node.func) not in names or loads, file
            if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "shell"):
                assert ast.unparse(node.value) == "False", file
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert not re.search(r"\b(pickle|joblib|dill|marshal|shelve)\b", ast.unparse(node)), file


def test_files_stay_under_300_lines() -> None:
    assert [file for file in PACKAGE.rglob("*.py") if len(file.read_text(encoding="utf-8").splitlines()) > 300] == []


def test_listing_takes_at_most_three_times_its_libraries() -> None:
    main = "import sys; sys.argv = ['ganskit', 'list']; from ganskit.cli.main import main; main()"
    ours, libraries = processor_s((sys.executable, "-c", main), (sys.executable, "-c", "import click, pluggy, attrs"))
    assert ours <= 3 * libraries


@pytest.mark.parametrize("net", ["dcgan.generator", "dcgan.discriminator"])
def test_weights_begin_as_the_paper_says(net: str) -> None:
    """N(0, 0.02) for weights, N(1, 0.02) for gains, 0 for shifts."""
    torch.manual_seed(0)
    shape = ganskit.Shape((100,), (3, 64, 64)) if net == "dcgan.generator" else ganskit.Shape((3, 64, 64), (1,))
    for name, p in ganskit.use(net, width=32).build(shape).named_parameters():
        mean = 1.0 if name.endswith("weight") and p.ndim == 1 else 0.0
        spread = 0.0 if name.endswith("bias") else 0.02
        assert p.mean().item() == pytest.approx(mean, abs=0.01)
        assert (p - p.mean()).square().mean().sqrt().item() == pytest.approx(spread, abs=0.006)
