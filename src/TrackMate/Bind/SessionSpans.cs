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
    long Number, ClaimMethod Method, Trust Trust, long UnixMilliseconds, string EventId, IReadOnlyList<long> Identifiers, IdentifierKind FirstNamedAs = IdentifierKind.Email)
{
    public ClaimPlace Place => new(UnixMilliseconds, Trust, EventId, Method);

    /// <summary>What it is where it opens a span.</summary>
    public Opening Opening => new(Place, Number, Identifiers[0], Method is ClaimMethod.Identify && FirstNamedAs is IdentifierKind.Email);
}

/// <summary>Where a claim stands among those of its session: (time, verified last, eventId, what a server says last, for browsers and servers choose their eventIds apart).</summary>
public readonly record struct ClaimPlace(long UnixMilliseconds, Trust Trust, string EventId, ClaimMethod Method) : IComparable<ClaimPlace>
{
    public int CompareTo(ClaimPlace other)
    {
        var byTime = UnixMilliseconds.CompareTo(other.UnixMilliseconds);
        if (byTime != 0) return byTime;
        var byTrust = Trust.CompareTo(other.Trust);
        if (byTrust != 0) return byTrust;
        var byEventId = EventIds.Compare(EventId, other.EventId);
        return byEventId != 0 ? byEventId : Method.CompareTo(other.Method);
    }

    public static bool operator <(ClaimPlace left, ClaimPlace right) => left.CompareTo(right) < 0;

    public static bool operator >(ClaimPlace left, ClaimPlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(ClaimPlace left, ClaimPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ClaimPlace left, ClaimPlace right) => left.CompareTo(right) >= 0;
}

/// <summary>A claim that opens a span, unless another of the same time is later in order or the session is its identifier's already.</summary>
/// <param name="Claim">The store's number of it.</param>
/// <param name="Identifier">The store's number of the one that the session goes to.</param>
/// <param name="ByEmail">An identify whose first identifier is an e-mail.</param>
public sealed record Opening(ClaimPlace Place, long Claim, long Identifier, bool ByEmail)
{
    public long UnixMilliseconds => Place.UnixMilliseconds;
}

/// <summary>[From, To) of a session belongs to an identifier; the first span of a session reaches back to the beginning (B8). Where no span lies, it is nobody's.</summary>
/// <param name="From">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
/// <param name="To">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end.</param>
/// <param name="Identifier">The store's number of it.</param>
/// <param name="Claim">The number of the claim that opened it.</param>
public sealed record Span(long From, long To, long Identifier, long Claim);

/// <summary>Spans that go, and spans that take their place.</summary>
public sealed record SpanChange(IReadOnlyList<Span> Gone, IReadOnlyList<Span> Come)
{
    public static readonly SpanChange None = new([], []);

    /// <summary>What is to be done to make some spans of others.</summary>
    public static SpanChange Between(IReadOnlyCollection<Span> before, IReadOnlyCollection<Span> after) => new([.. before.Except(after)], [.. after.Except(before)]);

    /// <summary>The same beside what operators keep free.</summary>
    public SpanChange Beside(IReadOnlyCollection<Unbinding> unbindings) => Between(SessionSpans.Beside(Gone, unbindings), SessionSpans.Beside(Come, unbindings));
}

/// <summary>An operator's own claim: the session is nobody's from then to then, whatever is said of it (B12).</summary>
/// <param name="From">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
/// <param name="To">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end.</param>
public sealed record Unbinding(long From, long To)
{
    public bool Covers(long unixMilliseconds) => From <= unixMilliseconds && unixMilliseconds < To;
}

/// <summary>What one more claim changes among a session's openings.</summary>
/// <param name="Opens">Whether the claim itself is an opening.</param>
/// <param name="Closed">Claims that were openings and are none any more.</param>
public sealed record OpeningDecision(bool Opens, IReadOnlyList<ClaimPlace> Closed);

/// <summary>The claims of one session in, its spans out: <c>spans(S)</c>. Pure, and the same for any order of arrival.</summary>
public static class SessionSpans
{
    /// <summary>The spans that are left beside what operators keep free, oldest first.</summary>
    /// <param name="claims">Those that stand: neither revoked nor beyond what is believed of one identifier in a day.</param>
    /// <param name="unbindings">What operators keep free.</param>
    public static IReadOnlyList<Span> Of(IReadOnlyCollection<Claim> claims, IReadOnlyCollection<Unbinding> unbindings) => Beside(Of(claims), unbindings);

    /// <summary>The spans as claims alone make them, oldest first: no two overlap, and neighbours are of two identifiers.</summary>
    public static IReadOnlyList<Span> Of(IEnumerable<Claim> claims) => Of(Openings(claims));

    /// <summary>The claims that open a span, in their order.</summary>
    public static IReadOnlyList<Opening> Openings(IEnumerable<Claim> claims)
    {
        var openings = new List<Opening>();
        var claimedBefore = new HashSet<long>();
        foreach (var claim in claims.OrderBy(claim => claim.Place))
        {
            // A webhook that names someone already known here only confirms: a warehouse job that still holds A's session does not hand B's events back.
            if (claim.Method is ClaimMethod.Identify || !claimedBefore.Overlaps(claim.Identifiers)) openings.Add(claim.Opening);
            claimedBefore.UnionWith(claim.Identifiers);
        }

        return openings;
    }

    /// <summary>
    /// The same for one claim more (B8). An identify always opens. A webhook opens if it is the first claim of the session to name any of its identifiers: later
    /// ones only confirm, so a webhook that has become the second for its identifier is an opening no more.
    /// </summary>
    /// <param name="claim">The new claim.</param>
    /// <param name="named">For each identifier that it names, the earliest claims of the session that name the same.</param>
    public static OpeningDecision Add(Claim claim, IReadOnlyCollection<ClaimPlace> named) => new(
        claim.Method is ClaimMethod.Identify || named.All(place => place > claim.Place),
        [.. named.Where(place => place.Method is ClaimMethod.Webhook && place > claim.Place).Distinct()]);

    /// <param name="openings">In their order.</param>
    public static IReadOnlyList<Span> Of(IReadOnlyList<Opening> openings)
    {
        var spans = new List<Span>();
        for (var i = 0; i < openings.Count; i++)
        {
            // At one time the last opening holds the session.
            if (i + 1 == openings.Count || openings[i + 1].UnixMilliseconds != openings[i].UnixMilliseconds) Append(spans, openings[i]);
        }

        return spans;
    }

    /// <summary>What becomes of a session's spans where its openings of one time have changed. It reaches no further than the openings before and after.</summary>
    /// <param name="before">The last opening before that time.</param>
    /// <param name="at">The last opening of that time, now.</param>
    /// <param name="after">The last opening of the next time at which there is one.</param>
    /// <param name="near">The spans as they were, oldest first, without a gap: at least those that overlap the time from <paramref name="before"/> to <paramref name="after"/>.</param>
    public static SpanChange Change(Opening? before, Opening? at, Opening? after, IEnumerable<Span> near)
    {
        var (from, to) = (before?.UnixMilliseconds ?? long.MinValue, after?.UnixMilliseconds ?? long.MaxValue);
        var spans = near.Where(span => span.To > from && span.From <= to).ToList();
        // Whoever has the session before has it since when, and by which claim, he had it.
        var now = before is null ? [] : new List<Span> { spans[0] };
        if (at is not null) Append(now, at);
        if (after is not null) Append(now, after);
        if (now.Count > 0) now[^1] = now[^1] with { To = spans.Count > 0 ? spans[^1].To : long.MaxValue };
        return SpanChange.Between(spans, now);
    }

    /// <summary>What operators leave of spans.</summary>
    public static IReadOnlyList<Span> Beside(IReadOnlyList<Span> spans, IReadOnlyCollection<Unbinding> unbindings)
    {
        foreach (var unbinding in unbindings) spans = [.. spans.SelectMany(span => Outside(span, unbinding))];
        return spans;
    }

    /// <summary>Whoever has the session already only says so again.</summary>
    private static void Append(List<Span> spans, Opening opening)
    {
        if (spans.Count > 0 && spans[^1].Identifier == opening.Identifier) return;
        if (spans.Count > 0) spans[^1] = spans[^1] with { To = opening.UnixMilliseconds };
        spans.Add(new(spans.Count == 0 ? long.MinValue : opening.UnixMilliseconds, long.MaxValue, opening.Identifier, opening.Claim));
    }

    /// <summary>What is left of a span: it whole, a part before, a part after, both or nothing.</summary>
    private static IEnumerable<Span> Outside(Span span, Unbinding unbinding)
    {
        if (unbinding.To <= span.From || unbinding.From >= span.To) return [span];
        return new[] { span with { To = Math.Min(span.To, unbinding.From) }, span with { From = Math.Max(span.From, unbinding.To) } }.Where(part => part.From < part.To);
    }
}
