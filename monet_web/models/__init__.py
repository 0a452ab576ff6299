"""What we remember: tables and what one row can say of itself. Knows no store, no service and no page."""

from monet_web.models.audit import AuditEntry
from monet_web.models.base import Base, db
from monet_web.models.bundles import Bundle
from monet_web.models.columns import RememberedColumn
from monet_web.models.company import Company, CompanyDetails, CompanyLogo, CurrencyRate, TakenNumber, VatRateRow
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.customers import Customer, CustomerKey
from monet_web.models.decisions import Decision
from monet_web.models.errands import Errand
from monet_web.models.evidence import ExportProofRow, VatCodeRow, VatConfirmation
from monet_web.models.filings import Filing, FilingTerms
from monet_web.models.integrations import Integration, Store
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceLine, InvoiceVat, Journal, Series
from monet_web.models.items import Item, ItemAlias
from monet_web.models.notices import Notice
from monet_web.models.questions import Question
from monet_web.models.runs import Run, RunOrder, RunSlot
from monet_web.models.stock import Balance, StockMove, StockReceipt, Warehouse
from monet_web.models.store_orders import RawPage, StoreOrder, StoreOrderVersion
from monet_web.models.uploads import Upload, UploadPart
from monet_web.models.users import LoginLink, User
from monet_web.models.waiting import WaitingMark

__all__ = [
    "AuditEntry",
    "Balance",
    "Base",
    "Bundle",
    "Company",
    "CompanyDetails",
    "CompanyLogo",
    "ConnectionTest",
    "CurrencyRate",
    "Customer",
    "CustomerKey",
    "Decision",
    "Errand",
    "ExportProofRow",
    "Filing",
    "FilingTerms",
    "Integration",
    "Invoice",
    "InvoiceFinding",
    "InvoiceLine",
    "InvoiceVat",
    "Item",
    "ItemAlias",
    "Journal",
    "LoginLink",
    "Notice",
    "Question",
    "RawPage",
    "RememberedColumn",
    "Run",
    "RunOrder",
    "RunSlot",
    "Series",
    "StockMove",
    "StockReceipt",
    "Store",
    "StoreOrder",
    "StoreOrderVersion",
    "TakenNumber",
    "Upload",
    "UploadPart",
    "User",
    "VatCodeRow",
    "VatConfirmation",
    "VatRateRow",
    "WaitingMark",
    "Warehouse",
    "db",
]
