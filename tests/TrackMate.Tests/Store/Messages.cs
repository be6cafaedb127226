using System.Text;
using TrackMate.Bind;

namespace TrackMate.Tests.Store;

/// <summary>Messages as the receiving slices make them, for tests that speak to the store itself.</summary>
internal static class Messages
{
    /// <summary>2025-10-18T10:00:00Z.</summary>
    public const long Ten = 1_760_781_600_000;

    public static Company Company(long number) => new(number, "TM-SHOP99", "Shop", [.. Enumerable.Repeat((byte)7, 32)], new());

    public static TrackedEvent Browser(Company company, string session, string eventId, long at = Ten, string data = "{}") => new()
    {
        Company = company,
        EventId = eventId,
        Order = EventOrder.Of(at, Origin.Browser),
        ReceivedAt = at,
        SessionId = session,
        Type = "page_view",
        Data = Encoding.UTF8.GetBytes(data),
    };

    public static TrackedEvent Webhook(Company company, string email, string eventId, long at = Ten, string type = "order_shipped", string data = "{}", string? session = null) => new()
    {
        Company = company,
        EventId = eventId,
        Order = EventOrder.Of(at, Origin.Server),
        ReceivedAt = at,
        Named = [Identifier.Email(company, email)],
        SessionId = session,
        Type = type,
        Data = Encoding.UTF8.GetBytes(data),
    };

    public static Identify Identify(Company company, string session, string email, string eventId, long at = Ten) => new()
    {
        Company = company,
        EventId = eventId,
        Order = EventOrder.Of(at, Origin.Browser),
        ReceivedAt = at,
        SessionId = session,
        Named = [Identifier.Email(company, email)],
        Trust = Trust.Claimed,
        Traits = [new("name", "\"Sarah\"")],
    };
}
