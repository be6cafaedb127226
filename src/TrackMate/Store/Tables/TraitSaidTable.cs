using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>Values in the table <c>trait_said</c>: what each session said of somebody.</summary>
internal static class TraitSaidTable
{
    /// <summary><c>trust</c>: an API key or a signed token stands behind it. As <see cref="Trust"/>.</summary>
    public const string Verified = "1";

    /// <summary><c>standing</c>: its session's claim is taken back.</summary>
    public const string TakenBack = "0";

    /// <summary><c>standing</c>: it counts.</summary>
    public const string Stands = "1";
}
