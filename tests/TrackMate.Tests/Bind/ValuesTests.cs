using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>Small pure decisions that the whole view stands on.</summary>
[NoStore]
public sealed class ValuesTests
{
    private static readonly Gen<string> EventId = Gen.OneOf("", "a", "b", "A", "0", "~", "\u007f", "\u0080", "é", "\ud7ff", "\ue000", "\uffee", "\uffff", "😀", "\ud800\udc00", "\udbff\udfff", "日").Array[0, 6].Select(string.Concat);

    /// <summary>B11.</summary>
    [Theory]
    [InlineData("null")]
    [InlineData("undefined")]
    [InlineData("none")]
    [InlineData("NaN")]
    [InlineData("anonymous")]
    [InlineData("guest")]
    [InlineData("unknown")]
    [InlineData("true")]
    [InlineData("false")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("000")]
    [InlineData("---")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("[object Object]")]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\t\n\u00a0")]
    [InlineData(" Undefined ")]
    [InlineData("GUEST")]
    [InlineData("\"null\"")]
    [InlineData("'undefined'")]
    [InlineData("\\\"null\\\"")]
    [InlineData("“null”")]
    [InlineData("`nil`")]
    [InlineData("\"\"")]
    [InlineData("''")]
    [InlineData("(null)")]
    [InlineData("<null>")]
    [InlineData("<nil>")]
    [InlineData("[undefined]")]
    [InlineData("{null}")]
    [InlineData("((\"null\"))")]
    [InlineData("nil")]
    [InlineData("Nil")]
    [InlineData("NULL")]
    [InlineData("\\N")]
    [InlineData("N/A")]
    [InlineData("n/a.")]
    [InlineData("n.a.")]
    [InlineData("#N/A")]
    [InlineData("none.")]
    [InlineData("(not set)")]
    [InlineData("not set")]
    [InlineData("<empty>")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("( )")]
    [InlineData("\u200bnull\u200b")]
    [InlineData("\ufeff")]
    [InlineData("\u00a0\u2003null")]
    [InlineData("\u200b\u200d")]
    [InlineData("\u2800")]
    [InlineData("—")]
    [InlineData("0.0")]
    [InlineData("undefined-undefined")]
    [InlineData("null null")]
    [InlineData("null@null")]
    public void A_placeholder_means_nobody(string value) => Assert.True(Placeholders.IsPlaceholder(value, new()));

    [Theory]
    [InlineData("1")]
    [InlineData("-2")]
    [InlineData("10")]
    [InlineData("0001")]
    [InlineData("nullify")]
    [InlineData("guest-77")]
    [InlineData("null-pointer-co")]
    [InlineData("none-such")]
    [InlineData("nile")]
    [InlineData("nil-armstrong")]
    [InlineData("(42)")]
    [InlineData("\"42\"")]
    [InlineData("na")]
    [InlineData("n")]
    [InlineData("empty-hands")]
    [InlineData("null@example.com")]
    [InlineData("nil@nil.org")]
    [InlineData("0.5")]
    [InlineData("1-0")]
    [InlineData("#1")]
    [InlineData("sarah@example.com")]
    [InlineData("walk-in")]
    [InlineData("😀")]
    public void An_identifier_means_somebody(string value)
    {
        Assert.False(Placeholders.IsPlaceholder(value, new()));
        Assert.True(Placeholders.IsPlaceholder($" {value.ToUpperInvariant()} ", new() { Placeholders = [value] }));
    }

    [Theory]
    [InlineData("payment_processed", """{"amount":79.99,"currency":"USD"}""", "79.99 USD")]
    [InlineData("payment_processed", """{"amount":"79.99","currency":"usd "}""", "79.99 USD")]
    [InlineData("payment_processed", """{"amount":80}""", "80 EUR")]
    [InlineData("payment_processed", """{"amount":7.999e1}""", "79.99 EUR")]
    [InlineData("payment_processed", """{"amount":0}""", "0 EUR")]
    [InlineData("payment_processed", """{"amount":null,"revenue":5}""", "5 EUR")]
    [InlineData("payment_processed", """{"amount":"","revenue":{},"total":"6"}""", "6 EUR")]
    [InlineData("payment_processed", """{"amount":1,"revenue":2,"total":3}""", "1 EUR")]
    [InlineData("Order Completed", """{"revenue":2,"total":3}""", "2 EUR")]
    [InlineData("payment_refunded", """{"revenue":2,"total":3}""", "-3 EUR")]
    [InlineData("refund_processed", """{"amount":2}""", "-2 EUR")]
    [InlineData("Order Refunded", """{"amount":2}""", "-2 EUR")]
    [InlineData("payment_processed", """{"amount":999999999999999}""", "999999999999999 EUR")]
    [InlineData("payment_processed", """{"amount":0.123456789}""", "0.123456789 EUR")]
    [InlineData("payment_processed", """{"amount":239.96999999999997}""", "239.970000000 EUR")]
    [InlineData("payment_processed", """{"amount":0.1234567891}""", "0.123456789 EUR")]
    [InlineData("order completed", """{"amount":5}""", null)]
    [InlineData("checkout_started", """{"amount":5}""", null)]
    public void Money_is_read_exactly(string type, string eventData, string? expected)
    {
        var money = Money.Read(new() { Currency = "EUR" }, type, Encoding.UTF8.GetBytes(eventData), out var unreadable);
        Assert.False(unreadable);
        Assert.Equal(expected, money is null ? null : FormattableString.Invariant($"{(money.Kind is MoneyKind.Refund ? "-" : "")}{money.Amount} {money.Currency}"));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"amount":-1}""")]
    [InlineData("""{"amount":true}""")]
    [InlineData("""{"amount":[5]}""")]
    [InlineData("""{"amount":"5 USD"}""")]
    [InlineData("""{"amount":"$5"}""")]
    [InlineData("""{"amount":"1,000"}""")]
    [InlineData("""{"amount":"0x5"}""")]
    [InlineData("""{"amount":"Infinity"}""")]
    [InlineData("""{"amount":1000000000000000}""")]
    [InlineData("""{"amount":1e-30}""")]
    [InlineData("""{"amount":0.0000000001}""")]
    [InlineData("""{"amount":1.0000000000000000000000000000000001}""")]
    [InlineData("""{"amount":5,"currency":"EURO"}""")]
    [InlineData("""{"amount":5,"currency":978}""")]
    [InlineData("""{"amount":5,"currency":"E1R"}""")]
    public void Money_that_is_not_exact_is_no_money(string eventData)
    {
        Assert.Null(Money.Read(new(), "payment_processed", Encoding.UTF8.GetBytes(eventData), out var unreadable));
        Assert.True(unreadable);
    }

    [Fact]
    public void A_payment_is_known_by_any_of_its_keys()
    {
        var money = Money.Read(new(), "payment_processed", """{"amount":5,"order_id":"a","orderId":17,"charge":"c","payment_intent":"a","paymentId":"","refund":"r"}"""u8.ToArray(), out _)!;
        Assert.Equal([":a", ":c", "orderId:17"], money.PaymentKeys);
        Assert.Null(money.PaymentId);
        Assert.Equal("r", money.RefundId);
    }

    /// <summary>F2: shops number orders and payments from 1 on.</summary>
    [Theory]
    [InlineData("""{"paymentId":7}""", """{"orderId":7}""", false)]
    [InlineData("""{"paymentId":"7"}""", """{"charge":7}""", false)]
    [InlineData("""{"paymentId":"12345678901234567890123456789012345678901234567890"}""", """{"orderId":"12345678901234567890123456789012345678901234567890"}""", false)]
    [InlineData("""{"payment_intent":"0007"}""", """{"order_id":"0007"}""", false)]
    [InlineData("""{"paymentId":"#1001"}""", """{"orderId":"#1001"}""", false)]
    [InlineData("""{"paymentId":"2025-0042"}""", """{"orderId":"2025-0042"}""", false)]
    [InlineData("""{"paymentId":"１２"}""", """{"orderId":"１２"}""", false)]
    [InlineData("""{"orderId":7}""", """{"orderId":"7"}""", true)]
    [InlineData("""{"orderId":7}""", """{"order_id":" 7 "}""", true)]
    [InlineData("""{"orderId":7.0}""", """{"order_id":0.7e1}""", true)]
    [InlineData("""{"orderId":1200}""", """{"order_id":1.2e3}""", true)]
    [InlineData("""{"orderId":"007"}""", """{"orderId":7}""", false)]
    [InlineData("""{"orderId":1.5}""", """{"orderId":15}""", false)]
    [InlineData("""{"orderId":-7}""", """{"orderId":7}""", false)]
    [InlineData("""{"orderId":"ch_1"}""", """{"charge":"ch_1"}""", true)]
    [InlineData("""{"paymentId":"A-1"}""", """{"order_id":"A-1"}""", true)]
    [InlineData("""{"paymentId":"orderId:7"}""", """{"orderId":7}""", false)]
    public void Two_keys_match_where_they_name_one_payment(string one, string other, bool match)
    {
        string[] KeysOf(string data) => [.. PaymentKey.Of(System.Text.Json.JsonElement.Parse(data), new(), out _)];
        Assert.Equal(match, KeysOf(one).Intersect(KeysOf(other)).Any());
    }

    /// <summary>F3: a refund subtracts, whichever sign its sender writes it with.</summary>
    [Theory]
    [InlineData("16.13")]
    [InlineData("\"-16.13\"")]
    [InlineData("-16.13")]
    [InlineData("\"+16.13\"")]
    [InlineData("\" \u221216.13 \"")]
    [InlineData("\"16.13-\"")]
    [InlineData("\"(16.13)\"")]
    [InlineData("-1.613e1")]
    public void A_refund_has_no_sign(string amount)
    {
        var money = Money.Read(new(), "refund_processed", Encoding.UTF8.GetBytes($$"""{"amount":{{amount}},"refundId":"null"}"""), out var unreadable);
        Assert.False(unreadable);
        Assert.Equal((16.13m, (string?)null), (money!.Amount, money.RefundId));
        Assert.Null(Money.Read(new(), "payment_processed", """{"amount":-16.13}"""u8.ToArray(), out unreadable));
        Assert.True(unreadable);
    }

    [Theory]
    [InlineData("USD", "5", "5.00")]
    [InlineData("USD", "79.9900", "79.99")]
    [InlineData("USD", "0.005", "0.005")]
    [InlineData("JPY", "1200.0", "1200")]
    [InlineData("KWD", "1.5", "1.500")]
    [InlineData("EUR", "-3", "-3.00")]
    public void Amounts_are_written_as_people_write_them(string currency, string amount, string expected) =>
        Assert.Equal(expected, Money.Format(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), currency));

    /// <summary>B9: ties are decided by eventId, as every store's binary collation orders it: by its UTF-8 bytes.</summary>
    [Fact]
    public void EventIds_compare_as_their_UTF8_bytes() => Gen.Select(EventId, EventId).Sample(
        (left, right) => Math.Sign(EventIds.Compare(left, right)) == Math.Sign(Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right))),
        iter: 50_000);

    /// <summary>B9, B14: time, then origin, then place in the batch; and all three come out again.</summary>
    [Fact]
    public void One_number_orders_by_time_then_origin_then_index()
    {
        var place = Gen.Select(Gen.Long[-62_135_596_800_000, 253_402_300_799_999], Gen.Bool, Gen.Int[0, EventOrder.MaxIndex], (time, server, index) => (time, server ? Origin.Server : Origin.Browser, index));
        Gen.Select(place, Gen.OneOf(place, place.Select(other => (other.time % 3, other.Item2, other.index % 3)))).Sample(
            (left, right) =>
            {
                var (one, two) = (EventOrder.Of(left.time, left.Item2, left.index), EventOrder.Of(right.Item1, right.Item2, right.Item3));
                return Math.Sign(one.CompareTo(two)) == Math.Sign(left.CompareTo(right))
                    && one.UnixMilliseconds == left.time && one.Origin == left.Item2 && EventOrder.Start(left.time) <= one && one < EventOrder.Start(left.time + 1);
            },
            iter: 50_000);
    }

    [Theory]
    [InlineData("671234567890abcdef123456", true)]
    [InlineData("671234567890ABCDEF123456", true)]
    [InlineData("671234567890abcdef12345", false)]
    [InlineData("671234567890abcdef1234567", false)]
    [InlineData("671234567890abcdef12345g", false)]
    [InlineData("-71234567890abcdef123456", false)]
    [InlineData(" 71234567890abcdef123456", false)]
    [InlineData("0x1234567890abcdef123456", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_profiles_id_has_24_hex_digits(string? text, bool valid)
    {
        Assert.Equal(valid, ProfileId.TryParse(text, out var id));
        if (!valid) return;
        Assert.Equal(text!.ToLowerInvariant(), id.ToString());
        Assert.Equal(id, ProfileId.FromBytes(id.ToBytes()));
    }
}
