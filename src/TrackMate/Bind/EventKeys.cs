using System.Text.Json;

namespace TrackMate.Bind;

/// <summary>What a server's event belongs to, beside a person (B17). The numbers are stored.</summary>
public enum EventKeyKind
{
    Order = 1,
    Payment = 2,
    Charge = 3,
    Tracking = 4,
}

/// <param name="Value">Folded and without blanks, as a person would type it from a parcel or a receipt.</param>
public readonly record struct EventKey(EventKeyKind Kind, string Value);

/// <summary>Reads the keys of an order, a payment or a parcel out of <c>eventData</c>.</summary>
public static class EventKeys
{
    private const int MaxLength = 200;

    /// <summary>Keys taken of one event: an order may go in several parcels.</summary>
    private const int Most = 16;

    /// <summary>What it gives depends on nothing else, so that the keys of an event that is erased are known again.</summary>
    /// <param name="eventData">UTF-8 JSON of an object; only its own members are looked at.</param>
    public static IReadOnlyCollection<EventKey> Of(ReadOnlySpan<byte> eventData)
    {
        var keys = new HashSet<EventKey>();
        var reader = new Utf8JsonReader(eventData);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return keys;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var kind = KindOf(ref reader);
            reader.Read();
            if (kind is not { } known) reader.Skip();
            else if (reader.TokenType is JsonTokenType.StartArray) AddAll(keys, known, ref reader);
            else Add(keys, known, ref reader);
        }

        return keys;
    }

    /// <summary>A key as it is compared; empty where nothing is left of it.</summary>
    public static string Compared(string key) => Folding.Fold(key).Replace(" ", "", StringComparison.Ordinal) is { Length: <= MaxLength } folded ? folded : "";

    private static EventKeyKind? KindOf(ref Utf8JsonReader name)
    {
        // Most names are none of these, which their first letter and their length say.
        if (name.ValueSpan.Length is < 6 or > 15 || (name.ValueSpan[0] | 0x20) is not ((byte)'o' or (byte)'p' or (byte)'c' or (byte)'t')) return null;
        if (name.ValueTextEquals("orderId"u8) || name.ValueTextEquals("order_id"u8) || name.ValueTextEquals("orderNumber"u8) || name.ValueTextEquals("order_number"u8)) return EventKeyKind.Order;
        if (name.ValueTextEquals("paymentId"u8) || name.ValueTextEquals("payment_id"u8) || name.ValueTextEquals("payment_intent"u8) || name.ValueTextEquals("paymentIntent"u8)) return EventKeyKind.Payment;
        if (name.ValueTextEquals("charge"u8) || name.ValueTextEquals("chargeId"u8) || name.ValueTextEquals("charge_id"u8)) return EventKeyKind.Charge;
        if (name.ValueTextEquals("trackingNumber"u8) || name.ValueTextEquals("tracking_number"u8) || name.ValueTextEquals("trackingNumbers"u8) || name.ValueTextEquals("trackingCode"u8)
            || name.ValueTextEquals("tracking_code"u8) || name.ValueTextEquals("trackingId"u8) || name.ValueTextEquals("tracking_id"u8) || name.ValueTextEquals("tracking"u8)) return EventKeyKind.Tracking;
        return null;
    }

    private static void AddAll(HashSet<EventKey> keys, EventKeyKind kind, ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray) Add(keys, kind, ref reader);
    }

    private static void Add(HashSet<EventKey> keys, EventKeyKind kind, ref Utf8JsonReader reader)
    {
        var text = reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Number => System.Text.Encoding.ASCII.GetString(reader.ValueSpan),
            _ => null,
        };
        if (text is null) reader.Skip();
        else if (keys.Count < Most && Compared(text) is { Length: > 0 } key) keys.Add(new(kind, key));
    }
}
