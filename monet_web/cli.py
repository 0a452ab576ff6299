"""`monet`: the command line. It only names the commands; each is loaded when typed, so that help comes at once."""

from __future__ import annotations

from monet_web.commands._lazy import Commands

COMMANDS = {
    # command: (module of monet_web.commands and the name in it, what help says of it)
    "run": ("running:run", "Run everything on this machine: web page, worker, scheduler."),
    "demo": ("running:demo", "Serve a demo store to try things with."),
    "integrations": ("integrations:integrations", "Connect stores and change how they are imported."),
    "import": ("imports:import_", "Import the orders of a period now."),
    "import-file": ("files:import_file", "Import the orders of a file that the shop exported."),
    "runs": ("runs:runs", "See what earlier imports did."),
    "timetable": ("timetable:timetable", "See when integrations run by themselves."),
    "journals": ("journals:journals", "See, check, register or delete what waits."),
    "conflicts": ("conflicts:conflicts", "See and answer orders whose number is taken."),
    "changed": ("changed:changed", "See and answer what changed in the store."),
    "invoices": ("invoices:invoices", "Write invoices to a file."),
    "items": ("items:items", "Import items and what stores call them, merge two."),
    "customers": ("customers:customers", "List customers, merge two."),
    "stock": ("stock:stock", "Receive and correct goods."),
    "rates": ("rates:rates", "Import currency rates."),
    "vat-rates": ("rates:vat_rates", "Add and list VAT rates."),
    "vat": ("vat:vat", "Add VAT codes, ask VIES, enter customs declarations."),
    "numbers": ("numbers:numbers", "Tell of invoice numbers used elsewhere."),
    "reports": ("reports:reports", "See what a month waits for, write i.SAF and OSS."),
    "company": ("company:company", "Show and set the company's data."),
    "user": ("users:user", "Let people in."),
    "keys": ("keys:keys", "Seal the stores' secrets with a new key."),
    "upgrade": ("upgrade:upgrade", "Bring the database to the newest schema."),
    "doctor": ("doctor:doctor", "See what is wrong with this installation."),
    "test": ("checks:test", "Run every test of this program."),
}

cli = Commands(
    name="monet",
    commands_at=COMMANDS,
    help="""Orders from e-shops into sales invoices, every cent accounted for.

    \b
    Begin with:
      monet run                       and open the link it prints; or
      monet integrations add "Kava Ltd" --platform woocommerce --set address=https://kava.example …
      monet import "Kava Ltd" --from 2026-11-01 --to 2026-11-30 --dry-run

    \b
    Each command has a help of its own: monet import --help
    MONET_DEBUG=1 shows where an error came from.
    """,
)


def main() -> None:
    """The entry point."""
    cli(prog_name="monet")


if __name__ == "__main__":
    main()
