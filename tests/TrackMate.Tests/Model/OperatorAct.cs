using TrackMate.Bind;

namespace TrackMate.Tests.Model;

/// <summary>What an operator decides, as the view takes it in: acts of one history have times of their own.</summary>
internal abstract record OperatorAct(long At)
{
    /// <summary>This session was never said to be this identifier's.</summary>
    public sealed record RevokeClaim(long At, string Session, ProfileId Leaf) : OperatorAct(At);

    /// <summary>These two were never said to be one person.</summary>
    public sealed record RevokePair(long At, ProfileId One, ProfileId Other) : OperatorAct(At);

    /// <summary>The session is nobody's from then to then.</summary>
    public sealed record Unbind(long At, string Session, long From, long To) : OperatorAct(At);

    /// <summary>These two are one person.</summary>
    public sealed record Merge(long At, ProfileId One, ProfileId Other) : OperatorAct(At)
    {
        /// <summary>As a view is compared: the id that a store gives is random.</summary>
        public string Name => $"merge_of_{One}_{Other}";
    }

    /// <summary>This one was never said to be one person with any other.</summary>
    public sealed record Isolate(long At, ProfileId Leaf) : OperatorAct(At);

    /// <summary>New claims do not join this profile.</summary>
    public sealed record Freeze(long At, ProfileId Leaf) : OperatorAct(At);

    /// <summary>What browsers claimed in a session, of an identifier, and received in a time is undone; null narrows nothing.</summary>
    public sealed record UndoClaims(long At, string? Session, ProfileId? Leaf, long? From, long? To) : OperatorAct(At)
    {
        /// <summary>What was there when it was done: sessions, and whose they were claimed to be.</summary>
        public IReadOnlyList<(string Session, ProfileId Leaf)> Sessions { get; init; } = [];

        /// <summary>And identifiers that were claimed to be one person.</summary>
        public IReadOnlyList<(ProfileId One, ProfileId Other)> Pairs { get; init; } = [];

        /// <summary>What is left of it once some identifiers are erased.</summary>
        public UndoClaims Without(IReadOnlySet<string> leaves) => this with
        {
            Sessions = [.. Sessions.Where(claim => !leaves.Contains(claim.Leaf.ToString()))],
            Pairs = [.. Pairs.Where(pair => !leaves.Contains(pair.One.ToString()) && !leaves.Contains(pair.Other.ToString()))],
        };

        public override string ToString() => $"undo claims in {Session} of {Leaf} from {From} to {To}: {string.Join(' ', Sessions)} {string.Join(' ', Pairs)}";
    }
}
