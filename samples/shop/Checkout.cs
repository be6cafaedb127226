using Microsoft.AspNetCore.Http.HttpResults;

namespace Shop;

/// <summary>The customer pays: the first of the facts that only a server can know.</summary>
internal static class Checkout
{
    private const int MostProducts = 20;

    /// <param name="Products">Ids of what is in the cart. The browser says what, never what it costs.</param>
    public sealed record Cart(string? PaymentMethod, IReadOnlyList<string>? Products);

    public sealed record Paid(bool Success, string OrderId);

    public static async Task<Results<Ok<Paid>, ProblemHttpResult>> Pay(
        Cart cart, HttpContext http, Customers customers, Orders orders, PretendPayments payments, TrackMateOutbox trackMate)
    {
        if (customers.Of(http) is not { } customer) return TypedResults.Problem("Sign in to pay.", statusCode: 401);
        var products = (cart.Products ?? []).Select(Catalogue.Find).OfType<Product>().ToArray();
        if (products.Length is 0 or > MostProducts || products.Length != cart.Products!.Count) return TypedResults.Problem("There is something in the cart that we do not sell.", statusCode: 422);
        if (cart.PaymentMethod is not "card") return TypedResults.Problem("We take cards only.", statusCode: 422);

        var amount = products.Sum(product => product.Price);
        var charge = await payments.ChargeAsync(amount, Catalogue.Currency);
        orders.Place(new(charge.Id, customer.Email, amount));
        trackMate.Tell(new($"payment:{charge.Id}", charge.At, customer.Email, "payment_processed", new
        {
            orderId = charge.Id,
            amount,
            currency = Catalogue.Currency,
            paymentMethod = cart.PaymentMethod,
            productInfos = products,
        }));
        return TypedResults.Ok(new Paid(true, charge.Id));
    }

    /// <summary>How far an order is: its owner's to see, and for everybody else it is not there.</summary>
    public static Results<Ok<Order>, NotFound> Status(string orderId, HttpContext http, Customers customers, Orders orders) =>
        orders.Find(orderId) is { } order && order.Email == customers.Of(http)?.Email ? TypedResults.Ok(order) : TypedResults.NotFound();
}
