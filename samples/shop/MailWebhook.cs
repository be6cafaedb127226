using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop;

/// <summary>
/// <c>POST /webhooks/sendgrid</c>: the mail provider says what became of a letter. Its own id of the event goes on as TrackMate's <c>eventId</c>, for providers repeat
/// themselves, and one delivery is to be on the timeline once.
/// </summary>
internal static class MailWebhook
{
    private sealed record MailEvent(
        [property: JsonPropertyName("email")] string Email,
        [property: JsonPropertyName("event")] string Event,
        [property: JsonPropertyName("timestamp")] long Timestamp,
        [property: JsonPropertyName("sg_event_id")] string EventId,
        [property: JsonPropertyName("category")] string? Category,
        [property: JsonPropertyName("orderId")] string? OrderId);

    public static async Task<IResult> Receive(HttpRequest request, PretendMail provider, Orders orders, TrackMateOutbox trackMate)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (!IsSigned(request, body.ToArray(), provider.PublicKey)) return TypedResults.Unauthorized();

        foreach (var mail in JsonSerializer.Deserialize<MailEvent[]>(body.ToArray()) ?? [])
        {
            if (mail.Event != "delivered") continue;
            var deliveredAt = DateTimeOffset.FromUnixTimeSeconds(mail.Timestamp);
            trackMate.Tell(new(mail.EventId, deliveredAt, mail.Email, "email_delivered", new { emailType = mail.Category, provider = "SendGrid", eventId = mail.EventId }));
            if (mail.OrderId is { } orderId) orders.Change(orderId, order => order with { ConfirmedAt = order.ConfirmedAt ?? deliveredAt });
        }

        return TypedResults.Ok();
    }

    /// <summary>SendGrid's signed event webhook: ECDSA over the timestamp's text and the body as it came.</summary>
    private static bool IsSigned(HttpRequest request, byte[] body, ECDsa publicKey)
    {
        var signature = new byte[256];
        byte[] signed = [.. Encoding.UTF8.GetBytes(request.Headers["X-Twilio-Email-Event-Webhook-Timestamp"].ToString()), .. body];
        return Convert.TryFromBase64String(request.Headers["X-Twilio-Email-Event-Webhook-Signature"].ToString(), signature, out var length)
            && publicKey.VerifyData(signed, signature.AsSpan(0, length), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}
