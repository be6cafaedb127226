using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Shop;

/// <summary>What the shop sells. Sent as it is as one of an event's <c>productInfos</c>.</summary>
internal sealed record Product(string ProductId, string ProductName, decimal Price);

internal static class Catalogue
{
    public const string Currency = "USD";

    private static readonly Product[] Products = [new("PROD-001", "Wireless Headphones", 79.99m)];

    public static Product[] Show() => Products;

    public static Product? Find(string productId) => Products.FirstOrDefault(product => product.ProductId == productId);
}

/// <param name="OrderId">The charge that paid for it: <c>ch_…</c>.</param>
/// <param name="TrackingNumber">Null until it is shipped.</param>
/// <param name="ConfirmedAt">When the mail provider delivered the confirmation; null until it has.</param>
internal sealed record Order(string OrderId, string Email, decimal Amount, string? TrackingNumber = null, string? Carrier = null, DateTimeOffset? ConfirmedAt = null);

/// <summary>The orders, and which of them the warehouse has still to ship.</summary>
internal sealed class Orders
{
    private readonly ConcurrentDictionary<string, Order> orders = new(StringComparer.Ordinal);
    private readonly Channel<Order> toShip = Channel.CreateUnbounded<Order>();

    public ChannelReader<Order> ToShip => toShip.Reader;

    public void Place(Order order)
    {
        orders[order.OrderId] = order;
        toShip.Writer.TryWrite(order);
    }

    public Order? Find(string orderId) => orders.GetValueOrDefault(orderId);

    public void Change(string orderId, Func<Order, Order> change)
    {
        while (orders.TryGetValue(orderId, out var order) && !orders.TryUpdate(orderId, change(order), order))
        {
            // Changed meanwhile: look again.
        }
    }
}
