"""Writes a source for each room of src/ that includes all of the room's, with the flags of a build.

    python3 tests/support/rooms.py BUILD FOLDER

clang-tidy reads what they include once for each room instead of once for each source. FOLDER gets
the sources and their compile_commands.json.
"""

import json
import shlex
import sys
from collections import defaultdict
from pathlib import Path


def main(build: Path, folder: Path) -> None:
    source_folder = Path(__file__).resolve().parents[2] / "src"
    rooms = defaultdict(list)
    for command in json.loads((build / "compile_commands.json").read_text()):
        if Path(command["file"]).is_relative_to(source_folder):
            rooms[Path(command["file"]).parent].append(command)
    folder.mkdir(parents=True, exist_ok=True)
    commands = []
    for room, sources in sorted(rooms.items()):
        room_source = folder / f"{room.name}.cpp"
        # Including sources is what the check is for, and what is meant here.
        room_source.write_text(
            "".join(
                f'#include "{each["file"]}"  // NOLINT(bugprone-suspicious-include)\n'
                for each in sorted(sources, key=lambda each: each["file"])
            )
        )
        first = sources[0]
        arguments = [
            str(room_source) if argument == first["file"] else argument
            for argument in shlex.split(first["command"])
            # Between sources nothing is shadowed; within one, its own compiler has said so.
            if argument != "-Wshadow"
        ]
        commands.append(
            {
                "directory": first["directory"],
                "file": str(room_source),
                "command": shlex.join(arguments),
            }
        )
    (folder / "compile_commands.json").write_text(json.dumps(commands, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).resolve())
