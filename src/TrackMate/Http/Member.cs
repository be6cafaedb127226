using System.Text;
using System.Text.Json;

namespace TrackMate.Http;

/// <summary>The members that messages have on the wire; what stands in none of them is checked and left alone.</summary>
internal enum Member
{
    CompanyId,
    SessionId,
    EventType,
    EventData,
    Timestamp,
    EventId,
    SentAt,
    Context,
    Events,
    Identifier,
    Email,
    ExternalId,
    UserId,
    Name,
    Traits,
    Token,
}

/// <summary>The members' names on the wire.</summary>
internal static class MemberNames
{
    private static readonly string[] Names =
    [
        "company_id", "sessionId", "eventType", "eventData", "timestamp", "eventId", "sentAt", "context", "events", "identifier",
        "email", "externalId", "userId", "name", "traits", "token",
    ];

    private static readonly byte[][] Utf8Names = [.. Names.Select(Encoding.UTF8.GetBytes)];

    /// <summary>All of them, in the order of <see cref="Member"/>.</summary>
    public static IReadOnlyList<string> All => Names;

    public static string Of(Member member) => Names[(int)member];

    public static ReadOnlySpan<byte> Utf8(Member member) => Utf8Names[(int)member];

    /// <summary>The member whose name the reader stands on, as a number; -1 where it is another name.</summary>
    public static int At(ref Utf8JsonReader reader)
    {
        for (var i = 0; i < Utf8Names.Length; i++)
        {
            if (reader.ValueTextEquals(Utf8Names[i])) return i;
        }

        return -1;
    }
}
