using System.Buffers.Text;
using System.Text;
using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>
/// A claim's public id names the message that made it, not its place in the store: so it is the same whatever the order of arrival (B9), and leads to the claim
/// through the index that makes eventIds unique.
/// </summary>
internal static class ClaimIds
{
    public static string Of(Origin origin, string eventId) => (origin is Origin.Browser ? "c" : "s") + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(eventId));
}
