namespace TrackMate.Store.Tables;

/// <summary>What an act does; the numbers are stored.</summary>
internal enum ActKind
{
    /// <summary>This session was never said to be this identifier's.</summary>
    RevokeClaim = 1,

    /// <summary>These two identifiers were never said to be one person.</summary>
    RevokePair = 2,

    /// <summary>This session is nobody's from then to then.</summary>
    Unbind = 3,

    /// <summary>These two identifiers are one person.</summary>
    Merge = 4,

    /// <summary>This identifier was never said to be one person with any other.</summary>
    Isolate = 5,

    /// <summary>Nothing that is first said from now on joins this identifier.</summary>
    Freeze = 6,

    /// <summary>As far as only browsers claim it: this session was never said to be this identifier's. One act undoes many.</summary>
    RevokeClaimed = 7,

    /// <summary>As far as only browsers claim it: these two identifiers were never said to be one person. One act undoes many.</summary>
    RevokeClaimedPair = 8,
}

/// <summary>Values in the table <c>act</c>: what operators do, as <see cref="ActKind"/>, to stand in statements.</summary>
internal static class ActTable
{
    /// <summary><c>kind</c>: it revokes a claim.</summary>
    public const string RevokeClaim = "1";

    /// <summary><c>kind</c>: it revokes a pair.</summary>
    public const string RevokePair = "2";

    /// <summary><c>kind</c>: it frees a part of a session.</summary>
    public const string Unbind = "3";

    /// <summary><c>kind</c>: it makes two identifiers one person.</summary>
    public const string Merge = "4";

    /// <summary><c>kind</c>: it keeps an identifier apart from all others.</summary>
    public const string Isolate = "5";

    /// <summary><c>kind</c>: nothing that is first said from then on joins the identifier.</summary>
    public const string Freeze = "6";

    /// <summary><c>kind</c>: it revokes a claim as far as only browsers make it.</summary>
    public const string RevokeClaimed = "7";

    /// <summary><c>kind</c>: it revokes a pair as far as only browsers claim it.</summary>
    public const string RevokeClaimedPair = "8";
}
