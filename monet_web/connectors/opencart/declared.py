"""What a person is asked for an OpenCart shop, and how to make it in the shop's admin, step by step."""

from __future__ import annotations

from monet_web.connectors.base import OrdersFile, Parameter, Picture

DEFAULT_ZONE = "Europe/Vilnius"  # where most of the shops are that leave their zone unsaid

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "address",
        "Shop's address",
        "As you see it in the browser on the shop's front page, for example https://www.example.com.",
        is_address=True,
    ),
    Parameter(
        "api_user",
        "API user",
        "The name of the user under System → Users → API in the shop's admin (not of a person who signs in there).",
        default="monet",
    ),
    Parameter(
        "api_key",
        "API key",
        "The long key of that user, whole. Leave it empty only when no bridge may be installed and the orders come "
        "from backups that you upload.",
        secret=True,
        required=False,
    ),
    Parameter(
        "shop",
        "Shop",
        "Only where one OpenCart runs several shops: the number of the one to import, 0 for the main one. Empty: all "
        "of them. Test connection lists them.",
        required=False,
    ),
    Parameter(
        "time_zone",
        "Time zone",
        "Used only where the shop does not say its own (before OpenCart 3.0.3, and in backups without settings).",
        required=False,
        default=DEFAULT_ZONE,
    ),
)

_BESIDE = (
    "Any version: put monet_bridge.php into the shop's folder, beside index.php and config.php, with FTP or the host's "
    "file manager."
)
_OF_FOUR = (
    "Or OpenCart 4 without FTP: upload monet.ocmod.zip under Extensions → Installer and press install there; then open "
    "Extensions → Extensions, choose Modules and install Monet."
)
_USER = (
    "Type monet as the user name, press Generate beside the key and choose the status Enabled. Leave the tab IP "
    "Addresses empty, or enter the address that Test connection names."
)
_TICK = (
    "Tick these tables, each with the shop's prefix (often oc_): order, order_history, order_option, order_product, "
    "order_total, order_voucher, order_status, product, country, currency, custom_field, custom_field_description, "
    "tax_rate, tax_rule, setting. If more are ticked, nothing of them is kept."
)
SETUP_STEPS: tuple[str, ...] = (
    "Stock OpenCart cannot list its orders, so the shop needs a small bridge, which only reads: download it below.",
    _BESIDE,
    "Or OpenCart 3 without FTP: upload monet-oc3.ocmod.zip under Extensions → Installer.",
    _OF_FOUR,
    "In the shop's admin open System → Users → API and press + (Add New).",
    _USER,
    "Copy the whole key (256 characters since OpenCart 3) into the field below, then save the user.",
)
SETUP_PICTURES: tuple[Picture, ...] = (
    Picture("opencart-folder.svg", "The shop's folder: monet_bridge.php beside index.php and config.php."),
    Picture("opencart-installer.svg", "Without FTP: Extensions → Installer; OpenCart 4 wants two installs more."),
    Picture("opencart-api-user.svg", "System → Users → API: name monet, Generate, status Enabled, Save."),
)
ORDERS_FILE = OrdersFile(
    ".sql",
    (
        "In the shop's admin open System → Maintenance → Backup (OpenCart 2: Tools → Backup / Restore).",
        _TICK,
        "Press Export and upload the file here as it is: not packed, and opened in no editor before.",
        "Uploading a newer backup again is safe: orders that are already here are skipped.",
    ),
)
