namespace Shop;

/// <summary>The warehouse: a background job, far from any browser, that knows a customer by e-mail only.</summary>
internal sealed class Fulfilment(Orders orders, PretendCarrier carrier, PretendMail mail, TrackMateOutbox trackMate, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Packing = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var order in orders.ToShip.ReadAllAsync(stoppingToken))
        {
            await Task.Delay(Packing, time, stoppingToken);
            var shipment = carrier.Ship();
            orders.Change(order.OrderId, shipped => shipped with { Carrier = shipment.Carrier, TrackingNumber = shipment.TrackingNumber });
            trackMate.Tell(new($"shipped:{order.OrderId}", shipment.At, order.Email, "order_shipped", new
            {
                orderId = order.OrderId,
                trackingNumber = shipment.TrackingNumber,
                carrier = shipment.Carrier,
                estimatedDelivery = shipment.EstimatedDelivery,
            }));
            await mail.SendAsync(order.Email, "order_confirmation", order.OrderId, stoppingToken);
        }
    }
}
