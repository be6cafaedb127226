using System.Text;

namespace TrackMate.Http;

/// <summary>What the batches of browsers and of back ends share: one bad event refuses itself only.</summary>
internal static class Batches
{
    /// <summary>Events in one batch.</summary>
    public const int MaxEvents = 500;

    /// <summary>Bytes of one event, as JSON.</summary>
    public const int MaxEventBytes = 32 * 1024;

    /// <summary>Bytes of what is kept of a batch's context beside each refused event of it.</summary>
    private const int MaxEnvelopeMember = 4 * 1024;

    /// <exception cref="RejectionException">The element is too large or not a valid object.</exception>
    public static WireObject Read(ReadOnlyMemory<byte> json, int index) =>
        json.Length > MaxEventBytes ? throw TooLarge($"events[{index}]") : WireObject.Read(json, new(index, null, null));

    public static RejectionException TooLarge(string what) => new(Reason.TooLarge, $"{what} is larger than {MaxEventBytes / 1024} KiB; send less in eventData.");

    /// <summary>What a browser's batch says for all of its events, as a JSON object: with it, one of them can be sent alone.</summary>
    public static string EnvelopeOf(WireObject wire)
    {
        var members = new[] { Member.CompanyId, Member.SessionId, Member.SentAt, Member.Context }.Where(member => wire.Raw(member).Length is > 0 and <= MaxEnvelopeMember);
        return "{" + string.Join(',', members.Select(member => $"\"{wire.PathOf(member)}\":{Encoding.UTF8.GetString(wire.Raw(member).Span)}")) + "}";
    }

    /// <summary>The sender's eventId, to name a refused event by; null where that too is wrong.</summary>
    public static string? EventIdOf(WireObject wire)
    {
        try
        {
            return wire.TextOrInteger(Member.EventId);
        }
        catch (RejectionException)
        {
            return null;
        }
    }
}
