"""What this program asks Shopify, in GraphQL: valid, and free of deprecated fields, on 2025-10 to 2026-10.

Parts that need rights of their own stand behind `@include`: without the right they are left out and the rest comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

API_VERSION: Final = "2026-10"  # supported until October 2027

# Parts of an order that a shop's plan or an app's rights may withhold, and the variable that leaves each out.
PARTS: Final = {
    "customer": "withCustomer",  # read_customers
    "company": "withCompany",  # read_customers or read_companies, and a shop that sells to companies
    "products": "withProducts",  # read_products
    "shipments": "withShipments",
    "people": "withPeople",  # names, streets, e-mail, telephone: protected customer data of level 2
    "addresses": "withAddresses",
}
LISTED: Final = 250  # ids a page: the most that Shopify gives
MOST_ITEMS: Final = 5  # transactions and refunds that come with an order; as many as that: there may be more
MOST_OF_LIST: Final = 250


@dataclass(frozen=True, slots=True)
class Query:
    """One operation: its name, and the document that holds it with its fragments."""

    name: str
    document: str
    parts: bool = False  # whether it takes the variables of PARTS


MONEY: Final = """
fragment MonetMoney on MoneyBag {
  shopMoney { amount currencyCode }
  presentmentMoney { amount currencyCode }
}
"""
_TAX = """
fragment MonetTax on TaxLine {
  title
  rate
  ratePercentage
  channelLiable
  priceSet { ...MonetMoney }
}
"""
_ADDRESS = """
fragment MonetAddress on MailingAddress {
  firstName @include(if: $withPeople)
  lastName @include(if: $withPeople)
  company
  address1 @include(if: $withPeople)
  address2 @include(if: $withPeople)
  zip @include(if: $withPeople)
  city
  province
  countryCodeV2
  phone @include(if: $withPeople)
}
"""
_LINE = """
fragment MonetLine on LineItem {
  id
  title
  variantTitle
  sku
  quantity
  currentQuantity
  isGiftCard
  taxable
  requiresShipping
  product @include(if: $withProducts) { id }
  variant @include(if: $withProducts) { id barcode }
  customAttributes { key value }
  originalUnitPriceSet { ...MonetMoney }
  originalTotalSet { ...MonetMoney }
  discountAllocations { allocatedAmountSet { ...MonetMoney } }
  taxLines(first: 10) { ...MonetTax }
}
"""
_SHIPPING = """
fragment MonetShipping on ShippingLine {
  id
  title
  code
  isRemoved
  originalPriceSet { ...MonetMoney }
  discountedPriceSet { ...MonetMoney }
  taxLines { ...MonetTax }
}
"""
_TRANSACTION = """
fragment MonetTransaction on OrderTransaction {
  id
  kind
  status
  gateway
  formattedGateway
  processedAt
  test
  amountSet { ...MonetMoney }
}
"""
_ORDER = f"""
fragment MonetOrder on Order {{
  id
  legacyResourceId
  name
  number
  poNumber
  createdAt
  processedAt
  updatedAt
  cancelledAt
  cancelReason
  test
  edited
  sourceName
  displayFinancialStatus
  displayFulfillmentStatus
  currencyCode
  presentmentCurrencyCode
  taxesIncluded
  dutiesIncluded
  taxExempt
  paymentGatewayNames
  discountCodes
  note
  email @include(if: $withPeople)
  phone @include(if: $withPeople)
  customAttributes {{ key value }}
  localizedFields(first: 5, purposes: [TAX]) {{ nodes {{ countryCode key value }} }}
  customer @include(if: $withCustomer) {{
    id
    firstName @include(if: $withPeople)
    lastName @include(if: $withPeople)
    taxExempt
  }}
  purchasingEntity @include(if: $withCompany) {{
    __typename
    ... on PurchasingCompany {{
      company {{ id name externalId }}
      location {{ id name externalId taxSettings {{ taxRegistrationId taxExempt }} }}
    }}
  }}
  billingAddress @include(if: $withAddresses) {{ ...MonetAddress }}
  shippingAddress @include(if: $withAddresses) {{ ...MonetAddress }}
  subtotalPriceSet {{ ...MonetMoney }}
  totalDiscountsSet {{ ...MonetMoney }}
  totalTaxSet {{ ...MonetMoney }}
  totalTipReceivedSet {{ ...MonetMoney }}
  totalPriceSet {{ ...MonetMoney }}
  totalCashRoundingAdjustment {{ paymentSet {{ ...MonetMoney }} }}
  currentTotalPriceSet {{ ...MonetMoney }}
  currentTotalTaxSet {{ ...MonetMoney }}
  totalRefundedSet {{ ...MonetMoney }}
  originalTotalDutiesSet {{ ...MonetMoney }}
  originalTotalAdditionalFeesSet {{ ...MonetMoney }}
  taxLines {{ ...MonetTax }}
  fulfillments(first: {MOST_ITEMS}) @include(if: $withShipments) {{ id status createdAt }}
  transactions(first: {MOST_ITEMS}) {{ ...MonetTransaction }}
  lineItems(first: 25) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...MonetLine }} }}
  shippingLines(first: 5) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...MonetShipping }} }}
  refunds(first: {MOST_ITEMS}) {{ id createdAt updatedAt }}
}}
"""
_GIVEN = ", ".join(f"${name}: Boolean!" for name in PARTS.values())
_FULL_ORDER = _ORDER + _LINE + _SHIPPING + _TRANSACTION + _ADDRESS + _TAX + MONEY

SHOP: Final = Query(
    "MonetShop",
    """
query MonetShop {
  shop {
    name
    myshopifyDomain
    currencyCode
    ianaTimezone
    taxesIncluded
    enabledPresentmentCurrencies
    plan { publicDisplayName }
  }
  currentAppInstallation { accessScopes { handle } }
}
""",
)
COUNT: Final = Query("MonetCount", "query MonetCount { ordersCount(limit: null) { count precision } }")
NEWEST: Final = Query(
    "MonetNewest",
    """
query MonetNewest {
  orders(first: 25, reverse: true, sortKey: PROCESSED_AT) {
    nodes {
      id
      displayFinancialStatus
      presentmentCurrencyCode
      paymentGatewayNames
      customAttributes { key value }
      localizedFields(first: 5, purposes: [TAX]) { nodes { key value } }
      taxLines { title ratePercentage rate }
    }
  }
}
""",
)
# Only ids and dates: cheap, and short enough that little changes in the shop while the list is read.
LISTING: Final = Query(
    "MonetIds",
    """
query MonetIds($first: Int!, $after: String, $query: String, $sortKey: OrderSortKeys!) {
  orders(first: $first, after: $after, query: $query, sortKey: $sortKey) {
    pageInfo { hasNextPage endCursor }
    nodes { id legacyResourceId name processedAt updatedAt displayFinancialStatus }
  }
}
""",
)
ORDERS: Final = Query(
    "MonetOrders",
    f"""
query MonetOrders($first: Int!, $query: String!, {_GIVEN}) {{
  shop {{ currencyCode ianaTimezone taxesIncluded }}
  orders(first: $first, query: $query, sortKey: ID) {{ nodes {{ ...MonetOrder }} }}
}}
{_FULL_ORDER}""",
    parts=True,
)
ORDER: Final = Query(
    "MonetOrder",
    f"query MonetOrder($id: ID!, {_GIVEN}) {{ order(id: $id) {{ ...MonetOrder }} }}{_FULL_ORDER}",
    parts=True,
)
LINES: Final = Query(
    "MonetOrderLines",
    f"""
query MonetOrderLines($id: ID!, $after: String, $withProducts: Boolean!) {{
  order(id: $id) {{
    id
    lineItems(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...MonetLine }} }}
  }}
}}
{_LINE}{_TAX}{MONEY}""",
    parts=True,
)
SHIPPING: Final = Query(
    "MonetOrderShipping",
    f"""
query MonetOrderShipping($id: ID!, $after: String) {{
  order(id: $id) {{
    id
    shippingLines(first: 25, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...MonetShipping }} }}
  }}
}}
{_SHIPPING}{_TAX}{MONEY}""",
)
TRANSACTIONS: Final = Query(
    "MonetOrderTransactions",
    f"""
query MonetOrderTransactions($id: ID!) {{
  order(id: $id) {{ id transactions(first: {MOST_OF_LIST}) {{ ...MonetTransaction }} }}
}}
{_TRANSACTION}{MONEY}""",
)
SHIPMENTS: Final = Query(
    "MonetOrderShipments",
    f"""
query MonetOrderShipments($id: ID!) {{
  order(id: $id) {{ id fulfillments(first: {MOST_OF_LIST}) {{ id status createdAt }} }}
}}
""",
)
QUERIES: Final = (SHOP, COUNT, NEWEST, LISTING, ORDERS, ORDER, LINES, SHIPPING, TRANSACTIONS, SHIPMENTS)
