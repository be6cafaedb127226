using System.Buffers.Text;
using System.Text;
using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>
/// A claim's public id names what was said, not its place in the store: so it is the same whatever the order of arrival (B9). Of a session's claim it is the message
/// that made it; of a join, the two identifiers.
/// </summary>
internal static class ClaimIds
{
    public static string Of(Origin origin, string eventId) => (origin is Origin.Browser ? "c" : "s") + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(eventId));

    /// <param name="low">The smaller of the two.</param>
    public static string Of(ProfileId low, ProfileId high) => $"p{low}{high}";

    /// <summary>Reads the id of what a message said of its session.</summary>
    public static (Origin Origin, string EventId)? ReadMessage(string id)
    {
        if (id is not ['c' or 's', .. { Length: > 0 } encoded] || !Base64Url.IsValid(encoded)) return null;
        return (id[0] == 'c' ? Origin.Browser : Origin.Server, Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded)));
    }

    /// <summary>Reads the id of a join.</summary>
    public static (ProfileId Low, ProfileId High)? ReadPair(string id) =>
        id is ['p', ..] && id.Length == 1 + (4 * ProfileId.ByteLength)
            && ProfileId.TryParse(id[1..(1 + (2 * ProfileId.ByteLength))], out var low) && ProfileId.TryParse(id[(1 + (2 * ProfileId.ByteLength))..], out var high)
            ? (low, high)
            : null;
}
