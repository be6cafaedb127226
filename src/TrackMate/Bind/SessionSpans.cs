namespace TrackMate.Bind;

/// <summary>How a claim came to be; the numbers are stored.</summary>
public enum ClaimMethod
{
    /// <summary>A browser said who its session is.</summary>
    Identify = 1,

    /// <summary>A server's event named a person and a session.</summary>
    Webhook = 2,
}

/// <summary>What stands behind a claim; the numbers are stored.</summary>
public enum Trust
{
    /// <summary>A browser with only the public company_id.</summary>
    Claimed = 0,

    /// <summary>An API key, a signed provider webhook or a signed browser token.</summary>
    Verified = 1,
}

/// <summary>"This session is the person of that identifier from this time on": one stored claim on a session, as spans need it.</summary>
/// <param name="Number">The store's number of the claim.</param>
/// <param name="UnixMilliseconds">The message's own time.</param>
/// <param name="EventId">The message's eventId, its own among those of its method; the higher wins a tie.</param>
/// <param name="Identifiers">The store's numbers of the identifiers it names; the session goes to the first.</param>
/// <param name="FirstNamedAs">As what the first of them was named: an e-mail if the message names one, else an externalId, else a userId. Spans do not look at it; what a session makes known of an externalId's e-mail does (B13).</param>
public sealed record Claim(
    long Number, ClaimMethod Method, Trust Trust, long UnixMilliseconds, string EventId, IReadOnlyList<long> Identifiers, IdentifierKind FirstNamedAs = IdentifierKind.Email);

/// <summary>[From, To) of a session belongs to an identifier; the first span of a session reaches back to the beginning (B8). Where no span lies, it is nobody's.</summary>
/// <param name="From">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
/// <param name="To">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end.</param>
/// <param name="Identifier">The store's number of it.</param>
/// <param name="Claim">The number of the claim that opened it.</param>
/// <param name="Trust">Verified if any verified claim on the session, at whatever time, names the identifier.</param>
public sealed record Span(long From, long To, long Identifier, long Claim, Trust Trust);

/// <summary>An operator's own claim: the session is nobody's from then to then, whatever is said of it (B12).</summary>
/// <param name="From">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
/// <param name="To">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end.</param>
public sealed record Unbinding(long From, long To)
{
    public bool Covers(long unixMilliseconds) => From <= unixMilliseconds && unixMilliseconds < To;
}

/// <summary>The claims of one session in, its spans out: <c>spans(S)</c>. Pure, and the same for any order of arrival.</summary>
public static class SessionSpans
{
    /// <summary>Claims by (time, verified last, eventId, what a server says last, for browsers and servers choose their eventIds apart): of one time the last one wins.</summary>
    public static readonly Comparer<Claim> Order = Comparer<Claim>.Create(Compare);

    /// <summary>The spans that are left beside what operators keep free, oldest first.</summary>
    /// <param name="claims">Those that stand: neither revoked nor beyond what is believed of one identifier in a day.</param>
    /// <param name="unbindings">What operators keep free.</param>
    public static IReadOnlyList<Span> Of(IReadOnlyCollection<Claim> claims, IReadOnlyCollection<Unbinding> unbindings)
    {
        IReadOnlyList<Span> spans = Of(claims);
        foreach (var unbinding in unbindings) spans = [.. spans.SelectMany(span => Outside(span, unbinding))];
        return spans;
    }

    /// <summary>The spans as claims alone make them, oldest first: no two overlap, and neighbours are of two identifiers.</summary>
    public static IReadOnlyList<Span> Of(IReadOnlyCollection<Claim> claims)
    {
        var inOrder = claims.ToArray();
        Array.Sort(inOrder, Order);

        var openings = new List<Claim>();
        var claimedBefore = new HashSet<long>();
        foreach (var claim in inOrder)
        {
            // A webhook that names someone already known here only confirms: a warehouse job that still holds A's session does not hand B's events back.
            var opens = claim.Method is ClaimMethod.Identify || !claimedBefore.Overlaps(claim.Identifiers);
            claimedBefore.UnionWith(claim.Identifiers);
            if (!opens) continue;

            // At one time the last opening wins, so an earlier one of the same time has an empty span.
            if (openings.Count > 0 && openings[^1].UnixMilliseconds == claim.UnixMilliseconds) openings.RemoveAt(openings.Count - 1);
            // Whoever has the session already only says so again.
            if (openings.Count > 0 && openings[^1].Identifiers[0] == claim.Identifiers[0]) continue;
            openings.Add(claim);
        }

        var verified = inOrder.Where(claim => claim.Trust is Trust.Verified).SelectMany(claim => claim.Identifiers).ToHashSet();
        var spans = new Span[openings.Count];
        for (var i = 0; i < spans.Length; i++)
        {
            var identifier = openings[i].Identifiers[0];
            spans[i] = new(
                i == 0 ? long.MinValue : openings[i].UnixMilliseconds,
                i == spans.Length - 1 ? long.MaxValue : openings[i + 1].UnixMilliseconds,
                identifier,
                openings[i].Number,
                verified.Contains(identifier) ? Trust.Verified : Trust.Claimed);
        }

        return spans;
    }

    /// <summary>What is left of a span: it whole, a part before, a part after, both or nothing.</summary>
    private static IEnumerable<Span> Outside(Span span, Unbinding unbinding)
    {
        if (unbinding.To <= span.From || unbinding.From >= span.To) return [span];
        return new[] { span with { To = Math.Min(span.To, unbinding.From) }, span with { From = Math.Max(span.From, unbinding.To) } }.Where(part => part.From < part.To);
    }

    private static int Compare(Claim left, Claim right)
    {
        var byTime = left.UnixMilliseconds.CompareTo(right.UnixMilliseconds);
        if (byTime != 0) return byTime;
        var byTrust = left.Trust.CompareTo(right.Trust);
        if (byTrust != 0) return byTrust;
        var byEventId = EventIds.Compare(left.EventId, right.EventId);
        return byEventId != 0 ? byEventId : left.Method.CompareTo(right.Method);
    }
}
