using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>Values in the table <c>pair</c>: two identifiers that were said to be one person. Its <c>stop</c> is a <see cref="JoinStop"/>, and always a parameter.</summary>
internal static class PairTable
{
    /// <summary><c>trust</c>: only browsers said it. As <see cref="Trust"/>.</summary>
    public const string Claimed = "0";

    /// <summary><c>trust</c>: an API key or a signed token said it. As <see cref="Trust"/>.</summary>
    public const string Verified = "1";

    /// <summary><c>standing</c>: an operator keeps the two apart.</summary>
    public const string KeptApart = "0";

    /// <summary><c>standing</c>: it may join them.</summary>
    public const string MayJoin = "1";

    /// <summary><c>standing</c>: it is not among the earliest pairs of one of the two, so it does not join them.</summary>
    public const string TooLate = "2";
}
