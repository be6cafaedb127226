using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Shop;

// What stands in for other companies' services. Nothing here is worth copying: put Stripe, Shippo and SendGrid in its place.

internal sealed record Charge(string Id, DateTimeOffset At);

internal sealed class PretendPayments(TimeProvider time)
{
    public async Task<Charge> ChargeAsync(decimal amount, string currency)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(amount);
        ArgumentException.ThrowIfNullOrEmpty(currency);
        await Task.Delay(TimeSpan.FromMilliseconds(300), time); // A bank is not quick.
        return new("ch_" + RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", 16), time.GetUtcNow());
    }
}

internal sealed record Shipment(string Carrier, string TrackingNumber, DateTimeOffset At, string EstimatedDelivery);

internal sealed class PretendCarrier(TimeProvider time)
{
    public Shipment Ship()
    {
        var now = time.GetUtcNow();
        return new("USPS", "USPS" + RandomNumberGenerator.GetString("0123456789", 10), now, now.AddDays(5).ToString("yyyy-MM-dd"));
    }
}

/// <summary>Delivers a letter at once, and tells the shop's webhook so, signed as SendGrid signs: twice, for that happens too.</summary>
internal sealed class PretendMail(IServer server, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Transit = TimeSpan.FromSeconds(1.5);

    private readonly HttpClient http = new();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>SendGrid shows it in its settings; a shop keeps it as a setting of its own.</summary>
    public ECDsa PublicKey => key;

    public async Task SendAsync(string email, string category, string orderId, CancellationToken stopping)
    {
        await Task.Delay(Transit, time, stopping);
        var seconds = time.GetUtcNow().ToUnixTimeSeconds();
        var body = JsonSerializer.SerializeToUtf8Bytes(new[]
        {
            new { email, @event = "delivered", timestamp = seconds, sg_event_id = "sg_" + RandomNumberGenerator.GetHexString(22, lowercase: true), category, orderId },
        });
        var signature = key.SignData([.. Encoding.UTF8.GetBytes($"{seconds}"), .. body], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var shop = server.Features.Get<IServerAddressesFeature>()!.Addresses.First().Replace("0.0.0.0", "127.0.0.1").Replace("[::]", "127.0.0.1");
        for (var time = 0; time < 2; time++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{shop}/webhooks/sendgrid") { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Add("X-Twilio-Email-Event-Webhook-Timestamp", $"{seconds}");
            request.Headers.Add("X-Twilio-Email-Event-Webhook-Signature", Convert.ToBase64String(signature));
            using var answer = await http.SendAsync(request, stopping);
            answer.EnsureSuccessStatusCode();
        }
    }

    public void Dispose()
    {
        http.Dispose();
        key.Dispose();
    }
}
