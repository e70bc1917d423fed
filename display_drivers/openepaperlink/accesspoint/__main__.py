from display_drivers.openepaperlink.accesspoint.command import command

command(prog_name="python -m display_drivers.openepaperlink.accesspoint")
