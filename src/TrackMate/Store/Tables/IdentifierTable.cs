using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>Values in the table <c>identifier</c>.</summary>
internal static class IdentifierTable
{
    /// <summary><c>kind</c>: an id of which nobody has said what it is the id of. As <see cref="IdentifierKind"/>.</summary>
    public const string Bare = "3";
}
