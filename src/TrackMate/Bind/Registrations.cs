namespace TrackMate.Bind;

/// <summary>The earliest identify of a browser that named an identifier and stands.</summary>
/// <param name="Identifier">The store's number of the identifier; likewise <paramref name="Session"/> and <paramref name="Claim"/>.</param>
/// <param name="ReceivedAt">Unix milliseconds of our own clock.</param>
public sealed record FirstIdentify(long Identifier, long Session, MessagePlace Place, long ReceivedAt, long Claim, Trust Trust);

/// <summary>Which identify a person's <c>user_registered</c> is derived from (B3). Pure.</summary>
public static class Registrations
{
    /// <summary>The earliest identify of the person; null if the company wants none, or if one was sent. The sequences are read as far as needed.</summary>
    /// <param name="sent">For each identifier of the person: whether its timeline has a <c>user_registered</c> that was sent.</param>
    /// <param name="identifies">For each identifier its first identify, where it has one.</param>
    public static FirstIdentify? Of(CompanySettings settings, IEnumerable<bool> sent, IEnumerable<FirstIdentify> identifies) =>
        !settings.UserRegistered || sent.Any(was => was) ? null : identifies.MinBy(identify => identify.Place);
}
