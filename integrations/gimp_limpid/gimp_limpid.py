#!/usr/bin/env python3
"""A GIMP 3 plug-in: Filters > Enhance > Remove Reflection (limpid); both layers arrive above the photo.

Copy this folder below GIMP's plug-ins folder and make this file executable. It runs the command ``limpid``, which need not be in
GIMP's own Python; its place is asked for where it is not on the PATH. A GIMP from Flatpak or Snap cannot see it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

PROCEDURE = "plug-in-limpid-separate"
LAYERS = ("reflection", "transmission")
"""Written by limpid, inserted in this order, so that the last one is seen."""


def command(program: str, photo: Path, folder: Path, strength: float) -> list[str]:
    """The words of one call of limpid."""
    return [program, "separate", str(photo), "-o", str(folder), "--format", "png", "--strength", f"{strength:g}", "-q"]


def separate(image: Any, program: str, strength: float) -> None:
    """Write the flattened image, run limpid on it, and insert what it made. Raises RuntimeError with limpid's own words."""
    with tempfile.TemporaryDirectory() as place:
        photo = Path(place, "photo.png")
        copy = image.duplicate()
        copy.flatten()
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(str(photo)), None)
        copy.delete()
        done = subprocess.run(command(program, photo, Path(place), strength), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or f"{program} ended with {done.returncode}")
        for name in LAYERS:
            file = Gio.File.new_for_path(str(Path(place, f"photo.{name}.png")))
            layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, file)
            layer.set_name(name)
            image.insert_layer(layer, None, 0)


class LimpidPlugin(Gimp.PlugIn):  # type: ignore[misc]
    """What GIMP asks a plug-in for."""

    def do_set_i18n(self, name: str) -> bool:
        """No translations."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The one procedure."""
        return [PROCEDURE]

    def do_create_procedure(self, name: str) -> Any:
        """Its place in the menus, its text and its arguments."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("RGB*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label("Remove Reflection (limpid)…")
        procedure.add_menu_path("<Image>/Filters/Enhance")
        procedure.set_documentation("Take a reflection off a photo", "Adds what lies behind the glass and what it mirrors.", name)
        procedure.set_attribution("the limpid maintainers", "Apache-2.0", "2026")
        flags = GObject.ParamFlags.READWRITE
        procedure.add_double_argument("strength", "Strength", "How far to go", 0.0, 1.0, 1.0, flags)
        procedure.add_string_argument("program", "Program", "The command limpid, or its path", "limpid", flags)
        return procedure

    def run(self, procedure: Any, mode: Any, image: Any, drawables: Any, config: Any, data: Any) -> Any:
        """Ask, separate, in one step of undo."""
        if mode == Gimp.RunMode.INTERACTIVE:
            GimpUi.init(PROCEDURE)
            dialog = GimpUi.ProcedureDialog.new(procedure, config, "Remove Reflection")
            dialog.fill(None)
            if not dialog.run():
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
        image.undo_group_start()
        try:
            separate(image, config.get_property("program"), config.get_property("strength"))
        except (RuntimeError, OSError) as error:
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error)))
        finally:
            image.undo_group_end()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


if __name__ == "__main__":
    Gimp.main(LimpidPlugin.__gtype__, sys.argv)
