"""What runs beside other systems' traffic stands alone: nothing of the product, few
dependencies, and the house's own sizes.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.layers import ROOT, tracked

PACKAGES = {
    "gateways/client/extra_usage_client": set(),
    "gateways/litellm/extra_usage_litellm": {
        "extra_usage_client",
        "fastapi",
        "litellm",
    },
}
MAX_LINES, MAX_FUNCTION = 300, 50


def modules(*packages: str) -> list[Path]:
    """The modules of what is shipped for gateways."""
    return [path for package in packages for path in tracked(f"{package}/*.py")]


def every_module() -> list[Path]:
    """All of them."""
    return modules(*PACKAGES)


def imported(path: Path) -> Iterator[str]:
    """The first words of what a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_x7_a_gateways_package_imports_itself_and_what_it_says(package):
    allowed = PACKAGES[package] | {package.split("/")[-1]} | sys.stdlib_module_names
    found = {name for path in modules(package) for name in imported(path)}
    assert len(modules(package)) > 3
    assert found - allowed == set()


def test_x7_the_client_needs_nothing_but_python():
    client = tomllib.loads((ROOT / "gateways/client/pyproject.toml").read_text())
    assert client["project"]["dependencies"] == []


def test_files_stay_below_300_lines_and_functions_below_50():
    lengths = {str(path): len(path.read_text().splitlines()) for path in every_module()}
    assert {path: n for path, n in lengths.items() if n >= MAX_LINES} == {}
    sizes = {
        f"{path}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in every_module()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(sizes) > 100
    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION} == {}
    assert sum(size >= 25 for size in sizes.values()) <= len(sizes) // 10


def test_every_module_and_every_public_name_says_what_it_does():
    silent = []
    for path in every_module():
        tree = ast.parse(path.read_text())
        silent += [] if ast.get_docstring(tree) else [str(path)]
        silent += [
            f"{path}:{node.name}"
            for owner in ast.walk(tree)
            if isinstance(owner, ast.Module | ast.ClassDef)
            for node in owner.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert silent == []


def test_m1_amounts_of_the_client_are_no_floats():
    hits = [
        f"{path}:{node.lineno}"
        for path in every_module()
        if path.name in ("money.py", "costs.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert hits == []
