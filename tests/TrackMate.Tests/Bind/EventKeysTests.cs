using System.Text;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>What a server's event belongs to.</summary>
[NoStore]
public sealed class EventKeysTests
{
    [Theory]
    [InlineData("""{"orderId":"ORD-1001","amount":1}""", "Order ord-1001")]
    [InlineData("""{"order_id":1001,"payment_intent":"pi_Abc","charge":"ch_1"}""", "Charge ch_1, Order 1001, Payment pi_abc")]
    [InlineData("""{"trackingNumber":"1Z 999 AA1 01"}""", "Tracking 1z999aa101")]
    [InlineData("""{"trackingNumbers":["A1",{"tracking_id":"no"},["no"],"B2",null,3]}""", "Tracking 3, Tracking a1, Tracking b2")]
    [InlineData("""{"nested":{"orderId":"no"},"list":[{"orderId":"no"}],"orderId":{"x":1},"tracking":true}""", "")]
    [InlineData("""{"tracking_number":"Ä-１２"}""", "Tracking a-12")]
    [InlineData("""{"orderId":"","paymentId":" "}""", "")]
    [InlineData("{}", "")]
    [InlineData("[]", "")]
    public void Keys_are_read_from_the_members_of_the_data(string data, string keys)
    {
        Assert.Equal(keys, string.Join(", ", EventKeys.Of(Encoding.UTF8.GetBytes(data)).Select(key => $"{key.Kind} {key.Value}").Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Many_and_long_ones_are_bounded()
    {
        Assert.Equal(16, EventKeys.Of(Encoding.UTF8.GetBytes($$"""{"trackingNumbers":[{{string.Join(',', Enumerable.Range(0, 500))}}]}""")).Count);
        Assert.Empty(EventKeys.Of(Encoding.UTF8.GetBytes($$"""{"orderId":"{{new string('x', 201)}}"}""")));
    }
}
