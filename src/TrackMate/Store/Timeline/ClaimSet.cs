using TrackMate.Bind;

namespace TrackMate.Store.Timeline;

/// <summary>Which claims of browsers an operator undoes at once; what is null does not narrow them.</summary>
/// <param name="Sessions">Ids of browsers' sessions: what they claimed.</param>
/// <param name="Identifier">The id of an identifier: what named it.</param>
/// <param name="From">Received from then on; unix milliseconds.</param>
/// <param name="To">Received before then; unix milliseconds.</param>
public sealed record ClaimFilter(IReadOnlyList<string>? Sessions, ProfileId? Identifier, long? From, long? To)
{
    /// <summary>Whether it would take every claim of the company.</summary>
    public bool IsEmpty => Sessions is null && Identifier is null && From is null && To is null;
}

/// <summary>What such claims say, by the store's numbers.</summary>
/// <param name="Claims">Messages that say it.</param>
/// <param name="Sessions">Sessions, and whose they are said to be.</param>
/// <param name="Pairs">Identifiers that are said to be one person, the smaller number first.</param>
public sealed record ClaimSet(long Claims, IReadOnlyList<(long Session, long Identifier)> Sessions, IReadOnlyList<(long Low, long High)> Pairs)
{
    /// <summary>What the ids of acts on many claims begin with.</summary>
    public const string Word = "claims";

    /// <summary>So many are undone in one transaction of the writer.</summary>
    public const int MostInStep = 250;

    /// <summary>More are not undone at once.</summary>
    public const int Most = 500_000;

    public int Count => Sessions.Count + Pairs.Count;

    /// <summary>Its parts, each for one transaction. Sessions go first, so that what follows from them goes with them.</summary>
    public IReadOnlyList<ClaimSet> Steps() => Count <= MostInStep
        ? [this]
        : [.. Sessions.Chunk(MostInStep).Select(part => new ClaimSet(Claims, part, [])), .. Pairs.Chunk(MostInStep).Select(part => new ClaimSet(Claims, [], part))];

    public static bool IsId(string actId) => actId.StartsWith(Word + "_", StringComparison.Ordinal);
}

/// <summary>What an act on many claims amounts to.</summary>
/// <param name="Claims">Claims of browsers: messages.</param>
/// <param name="Items">What is undone by itself: a session's claims of an identifier, or a pair.</param>
/// <param name="Moved">What moves by it, as far as it is known before.</param>
public sealed record ClaimTotal(long Claims, int Items, Moved Moved);
