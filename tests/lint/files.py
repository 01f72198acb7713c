"""What the lints look at: the project's own text files, without builds and what git ignores."""
import pathlib, subprocess

SKIP = {".git", ".demo", "node_modules", "__pycache__", "corpus", "golden", "market", "real"}


def under(root, *patterns, folders=("engine", "clients", "proto", "sql", "bench", "tests")):
    """Files of the folders whose name fits a pattern, sorted."""
    found = []
    for folder in folders:
        for pattern in patterns:
            for f in (root / folder).rglob(pattern):
                if f.is_file() and not SKIP & set(f.relative_to(root).parts):
                    found.append(f)
    return sorted(set(found))


def everything(root):
    """All that is or may be committed; without git: all that is not a build."""
    try:
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                             capture_output=True, check=True).stdout.decode()
        files = [root / name for name in out.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        files = [f for f in root.rglob("*") if not f.relative_to(root).parts[0].startswith((".", "build"))]
    return sorted(f for f in files if f.is_file() and not f.is_symlink())


def text_of(f):
    """The file's text, or None when it holds bytes."""
    data = f.read_bytes()
    if b"\0" in data[:8192]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def without_comments(source):
    """C source with comments and the insides of strings blanked; lines stay where they are."""
    out, i, n = [], 0, len(source)
    while i < n:
        two = source[i:i + 2]
        if two == "/*":
            end = source.find("*/", i + 2)
            end = n if end < 0 else end + 2
            out.append("".join(c if c == "\n" else " " for c in source[i:end]))
            i = end
        elif two == "//":
            end = source.find("\n", i)
            end = n if end < 0 else end
            i = end
        elif source[i] in "\"'":
            quote, end = source[i], i + 1
            while end < n and source[end] != quote and source[end] != "\n":
                end += 2 if source[end] == "\\" else 1
            out.append(quote + "".join(c if c == "\n" else " " for c in source[i + 1:end]) + quote)
            i = end + 1
        else:
            out.append(source[i])
            i += 1
    return "".join(out)
