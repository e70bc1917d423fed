"""What a gateway of this driver can be set to."""

from display_drivers.base import Setting

SETTINGS = (
    Setting("url", "The access point's address, such as http://192.168.1.30.", required=True),
    Setting("manage", "yes: set the access point's own settings as proof needs them."),
    Setting("pace", "Seconds from one upload to the next."),
    Setting("settle", "Seconds that a transfer under way may still take."),
    Setting("patience", "Seconds from an upload to its proof, where it should not follow from the tags' sleep."),
)
