"""Each format as its program writes it: which price counts, what is joined, what is not sold."""

import gzip

import pytest

from service.importing.formats import NAMES, bundled
from service.importing.outcomes import UnreadableError
from tests.service.importing.reader import found, products, read, refused

SHOPIFY = (
    "URL handle,Title,Vendor,Type,Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,"
    "Inventory quantity\n"
    "sock,Wool sock,Knit,Socks,Active,'007,'0012345678905,Size,M,9.50,12.00,4\n"
    "sock,,,,,008,5901234123457,,L,12.00,,-2\n"
    "sock,,,,,,,,,,,\n"
    "hat,Hat,Knit,Hats,Active,H1,4006381333931,Title,Default Title,20.00,20.00,1\n"
    "old,Old,Knit,Hats,Archived,H2,4006381333948,Title,Default Title,20.00,,1\n"
    "no,Nameless,Knit,Hats,Active,H3,,Title,Default Title,5.00,,1\n"
)


def test_shopify_joins_variants_to_titles_and_strikes_the_compare_at_price_through():
    medium, large, hat = products(SHOPIFY)
    assert medium == {
        "barcode": "0012345678905", "sku": "007", "name": "Wool sock / M", "price": "12.00", "salePrice": "9.50",
        "stock": "4", "brand": "Knit", "category": "Socks",
    }  # fmt: skip
    assert (large["name"], large["price"], large["stock"]) == ("Wool sock / L", "12.00", "-2")
    assert "salePrice" not in large
    assert (hat["name"], hat["price"]) == ("Hat", "20.00")
    assert "salePrice" not in hat
    assert refused(SHOPIFY) == [(6, None, "not_for_sale"), (7, "barcode", "required")]


def test_a_row_without_a_barcode_is_keyed_by_its_sku_where_that_is_asked_for():
    assert products(SHOPIFY, key_fallback="sku")[-1]["barcode"] == "H3"


def test_the_old_export_of_shopify_means_the_same():
    old = SHOPIFY
    for new, before in (
        ("URL handle", "Handle"), ("SKU", "Variant SKU"), ("Barcode", "Variant Barcode"), (",Price", ",Variant Price"),
        ("Compare-at price", "Variant Compare At Price"), ("Inventory quantity", "Variant Inventory Qty"),
    ):  # fmt: skip
        old = old.replace(new, before)
    assert (found(old).format, found(SHOPIFY).format) == ("shopify-old", "shopify")
    assert read(old) == read(SHOPIFY)


def test_square_names_variations_and_reads_prices_with_their_signs():
    text = (
        "\ufeffToken,Item Name,Variation Name,SKU,GTIN,Price,Sellable,Current Quantity Main St,Current Quantity Pier\n"
        'A,Coffee,Large,C1,0012345678905,"£4,250.00",Y,3,8\n'
        "B,Tea,Regular,C2,5901234123457,£2.50,Y,1,2\n"
        "C,Beans,Regular,C3,4006381333931,£2.50,N,,\n"
        "D,Cake,Regular,C4,4006381333948,variable,Y,,\n"
    )
    coffee, tea = products(text, location="Pier")
    assert (coffee["name"], coffee["price"], coffee["currency"], coffee["stock"]) == (
        "Coffee / Large", "4250.00", "GBP", "8",
    )  # fmt: skip
    assert (tea["name"], tea["stock"]) == ("Tea", "2")
    assert "stock" not in products(text)[0]  # nobody says whose
    assert refused(text) == [(4, None, "not_for_sale"), (5, "price", "no_fixed_price")]


WOO = (
    'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Date sale price starts,Date sale price ends,Stock,Sale price,'
    "Regular price,Categories,Parent\n"
    '1,simple,T1,0012345678905,Tea,1,2026-11-01,2026-11-30,5,2.50,3.00,"Drinks > Tea, Sale",\n'
    "2,variable,S1,,Sock,1,,,,,,Socks,\n"
    "3,variation,S1-M,5901234123457,,1,,,1,,4.00,,S1\n"
    "4,simple,D1,4006381333931,Draft,-1,,,,,1.00,,\n"
    "5,grouped,G1,4006381333948,Set,1,,,,,,,\n"
)


def test_woocommerce_has_sale_windows_and_parents_without_a_price():
    tea, sock = products(WOO)
    assert tea == {
        "barcode": "0012345678905", "sku": "T1", "name": "Tea", "price": "3.00", "salePrice": "2.50",
        "saleStart": "2026-11-01", "saleEnd": "2026-11-30", "stock": "5", "category": "Drinks > Tea",
    }  # fmt: skip
    assert (sock["name"], sock["price"]) == ("Sock", "4.00")
    assert refused(WOO) == [
        (3, "price", "no_price_of_its_own"), (5, None, "not_for_sale"), (6, "price", "no_price_of_its_own"),
    ]  # fmt: skip


def test_woocommerce_in_german_is_woocommerce():
    text = (
        'ID,Typ,Artikelnummer,"GTIN, UPC, EAN oder ISBN",Name,Veröffentlicht,Angebotspreis,Regulärer Preis,Kategorien\n'
        '1,simple,T1,0012345678905,Käse,1,"2,50","3,00",Essen\n'
    )
    assert found(text).format == "woocommerce"
    assert products(text)[0]["salePrice"] == "2.50"


LOYVERSE = (
    "Handle,SKU,Name,Category,Sold by weight,Option 1 name,Option 1 value,Barcode,SKU of included item,"
    "Available for sale [Pier],Price [Pier],In stock [Pier],Available for sale [Main St],Price [Main St],"
    "In stock [Main St]\n"
    "apple,1,Apple,Fruit,Y,,,2100000000001,,Y,2.50,4,Y,variable,5\n"
    "shirt,2,Shirt,Wear,N,Size,S,5901234123457,,Y,10.00,1,N,11.00,2\n"
    "shirt,3,,,,,M,4006381333931,,Y,12.00,1,Y,13.00,2\n"
    "set,4,Set,Wear,N,,,4006381333948,,Y,20.00,,Y,20.00,\n"
    "set,,,,,,,,3,,,,,,\n"
)


def test_loyverse_has_the_prices_of_each_store_in_brackets():
    apple, small, medium, _ = products(LOYVERSE, location="Pier")
    assert (apple["price"], apple["unit"], apple["stock"]) == ("2.50", "kg", "4")
    assert (small["name"], medium["name"], medium["category"]) == ("Shirt / S", "Shirt / M", "Wear")
    assert refused(LOYVERSE, store=("main st",)) == [(2, "price", "no_fixed_price"), (3, None, "not_for_sale")]


def test_prices_of_several_stores_are_not_guessed_from():
    with pytest.raises(UnreadableError, match=r"several stores \(pier, main st\); say with location"):
        read(LOYVERSE)


def test_odoo_is_read_by_its_technical_names_and_by_its_labels():
    technical = "id,default_code,barcode,name,list_price,qty_available,sale_ok\n1,A1,0012345678905,Milk,1.29,7.0,True\n"
    labels = "Internal Reference,Barcode,Name,Sales Price,Can be Sold\nA1,False,Milk,1.29,True\nA2,2,Tea,1.00,False\n"
    assert found(technical).format == found(labels).format == "odoo"
    assert products(technical)[0]["stock"] == "7.0"
    assert refused(labels) == [(2, "barcode", "required"), (3, None, "not_for_sale")]


HEADERS_IN_CROATIA = [
    (
        "NAZIV PROIZVODA;ŠIFRA PROIZVODA;MARKA PROIZVODA;NETO KOLIČINA;JEDINICA MJERE;BARKOD;KATEGORIJA PROIZVODA;"
        "MALOPRODAJNA CIJENA;CIJENA ZA JEDINICU MJERE;MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE;"
        "NAJNIŽA CIJENA U POSLJEDNIH 30 DANA;SIDRENA CIJENA NA 2.5.2025"
    ),
    (
        "NAZIV_PROIZVODA;ŠIFRA_PROIZVODA;MARKA_PROIZVODA;NETO_KOLIČINA;JEDINICA_MJERE;BARKOD;KATEGORIJA_PROIZVODA;"
        "MALOPROD.CIJENA(EUR);CIJENA_ZA_JEDINICU_MJERE;MPC_POSEB.OBLIK_PROD;NAJNIŽA_MPC_U_30DANA;SIDRENA_CIJENA"
    ),
    (
        "naziv;šifra;marka;neto količina;jedinica mjere;barkod;kategorija;MPC (EUR);cijena za jedinicu mjere (EUR);"
        "MPC za vrijeme posebnog oblika prodaje (EUR);Najniža cijena u posljednjih 30 dana (EUR);"
        "sidrena cijena na 2.5.2025. (EUR)"
    ),
    (
        "Naziv proizvoda;Sifra proizvoda;Marka proizvoda;Neto kolicina;Jedinica mjere;Barkod;Kategorija proizvoda;"
        "Maloprodajna cijena;Cijena po JM;MPC za vrijeme posebnog oblika prodaje;Najniza cijena u poslj. 30 dana;"
        "Sidrena cijena na 2.5.2025"
    ),
    (
        "NAZIV;SIFRA;MARKA;NETO_KOLICINA;JED_MJERE;BARKOD;KATEGORIJA;MPC;CIJENA_PO_MJERI;POSEBNA_PRODAJA;NAJNIZA_30_DANA;"
        "SIDRENA_02_05"
    ),
]


@pytest.mark.parametrize("header", HEADERS_IN_CROATIA)
@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1250"), ("\t", "utf-8-sig"), (";", "utf-16")])
def test_a_croatian_price_list_is_read_as_any_chain_spells_it(header, delimiter, encoding):
    rows = (
        "ČAJ ŠIPAK;01;ŽUTI;0,5;l;3838824086750;HRANA;3,17;6,34;2,99;2,99;3,00\n"
        "KRUH ĐAK;02;;0,7 kg;ko;3850108020908;HRANA;;1,20;0,99;;\n"
    )
    tea, bread = products(f"{header}\n{rows}".replace(";", delimiter).encode(encoding))
    assert tea == {
        "barcode": "3838824086750", "name": "ČAJ ŠIPAK", "price": "3.17", "salePrice": "2.99", "unitPrice": "6.34",
        "netContent": "0.5", "netContentUnit": "l", "unit": "l", "brand": "ŽUTI", "category": "HRANA", "sku": "01",
    }  # fmt: skip
    assert (bread["name"], bread["salePrice"], bread["netContentUnit"]) == ("KRUH ĐAK", "0.99", "kg")
    assert "price" not in bread


ISRAEL = """<?xml version="1.0" encoding="{encoding}"?>
<root><ChainId>7290058140886</ChainId><StoreId>39</StoreId><Items Count="5">
<Item><PriceUpdateDate>2026-08-22 01:00:31</PriceUpdateDate><ItemCode>7290015860956</ItemCode><ItemType>1</ItemType>
<ItemNm>קמח כרגיל &amp; לבן</ItemNm><ManufacturerName>יצרן</ManufacturerName><UnitQty>גרם</UnitQty>
<Quantity>400.00</Quantity><bIsWeighted>0</bIsWeighted><ItemPrice>5.90</ItemPrice>
<UnitOfMeasurePrice>1.4750</UnitOfMeasurePrice><ItemStatus>1</ItemStatus></Item>
<Item><ItemCode>12345</ItemCode><ItemName>עגבניה</ItemName><UnitQty>ק"ג</UnitQty><Quantity>1</Quantity>
<blsWeighted>1</blsWeighted><ItemPrice>6.90</ItemPrice><ItemStatus>1</ItemStatus></Item>
<Item><ItemCode>7290000000001</ItemCode><ItemName>ישן</ItemName><ItemPrice>1.00</ItemPrice><ItemStatus>2</ItemStatus></Item>
</Items></root>"""


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16"),
        ("cp1255", "windows-1255"), ("utf-8", "utf-16"), ("cp1255", "utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_israeli_price_list_is_read_whatever_it_is_written_in(written, declared, pack):
    text = pack(ISRAEL.format(encoding=declared).encode(written))
    flour, tomato = products(text)
    assert flour == {
        "barcode": "7290015860956", "name": "קמח כרגיל & לבן", "price": "5.90", "brand": "יצרן",
        "netContent": "400.00", "netContentUnit": "g",
    }  # fmt: skip
    assert tomato == {"barcode": "12345", "name": "עגבניה", "price": "6.90", "unit": "kg"}
    assert refused(text) == [(3, None, "not_for_sale")]


@pytest.mark.parametrize(
    "text",
    [
        "EAN;Artikel;VK-Preis;Sonderpreis\n4006381333931;Käse;1.234,50 €;9,99\n",
        "Code-barres\tLibellé\tPrix TTC\tPrix promo\n4006381333931\tKäse\t1 234,50\t9,99\n",
        "código de barras|nombre|precio|precio de oferta\n4006381333931|Käse|1234,50|9,99\n",
        'sep=;\nbarcode;product_name;price;sale_price\n4006381333931;Käse;"1234,50";9,99\n',
    ],
)
def test_a_list_with_headers_that_speak_for_themselves_needs_nothing_said(text):
    (cheese,) = products(text)
    assert (cheese["barcode"], cheese["name"], cheese["price"], cheese["salePrice"]) == (
        "4006381333931", "Käse", "1234.50", "9.99",
    )  # fmt: skip


def test_columns_that_nobody_knows_are_listed_with_how_to_say_what_they_are():
    with pytest.raises(UnreadableError, match=r"a, b\. Say which is which with columns, such as"):
        read("a,b\n1,2\n")


def test_the_callers_own_columns_count_beside_a_format():
    (milk,) = products(
        "EAN;Artikel;Preis;Kunde\n1;Milk;1,00;0,90\n", format="generic", columns={"memberPrice": "Kunde"}
    )
    assert (milk["price"], milk["memberPrice"]) == ("1.00", "0.90")


def test_a_format_that_does_not_fit_says_what_is_missing():
    with pytest.raises(UnreadableError, match=r"format shopify has URL handle, Title, .*; this one has a, b"):
        read("a,b\n", format="shopify")


def test_a_format_that_there_is_not_says_which_there_are():
    with pytest.raises(UnreadableError, match="croatia, fields"):
        read("a,b\n", format="spar")


def test_every_format_maps_to_fields_of_the_feed_and_needs_what_it_has():
    for name, form in bundled().items():
        assert set(form.columns) <= NAMES, name
        assert {one for need in form.needs for one in need.split("|")} <= {*form.columns, *form.roles}, name


def test_a_barcode_that_a_spreadsheet_rewrote_is_refused():
    assert refused("barcode,name,price\n5.90123E+12,Milk,1.00\n") == [(2, "barcode", "rewritten_barcode")]


def test_an_ambiguous_price_is_refused_alone_and_read_once_the_caller_says_how():
    text = "barcode;name;price\n1;Milk;1,234\n2;Tea;5\n"
    assert refused(text) == [(2, "price", "ambiguous_number")]
    assert [row["price"] for row in products(text, decimal=",")] == ["1.234", "5"]
    assert [row["price"] for row in products(text, decimal=".")] == ["1234", "5"]


def test_a_column_that_says_nothing_is_written_as_the_others_are():
    text = "barcode;name;price;stock\n1;Milk;1,29;1,234\n"
    assert products(text)[0]["stock"] == "1.234"
    assert found(text).decimal == {"price": ",", "stock": ","}


@pytest.mark.parametrize(("written", "iso"), [("1.9.2026", "2026-09-01"), ("2026/9/1 8:00", "2026-09-01 8:00")])
def test_dates_are_read_where_they_cannot_be_meant_otherwise(written, iso):
    (row,) = products(f"barcode;name;price;saleEnd\n1;Milk;1,29;{written}\n")
    assert row["saleEnd"] == iso
