using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>Values in the table <c>claim</c>: what was said of who a session is, or which identifiers are one person.</summary>
internal static class ClaimTable
{
    /// <summary><c>trust</c>: only a browser said it. As <see cref="Trust"/>.</summary>
    public const string Claimed = "0";

    /// <summary><c>trust</c>: an API key or a signed token said it. As <see cref="Trust"/>.</summary>
    public const string Verified = "1";

    /// <summary><c>method</c>: an identify of a browser. As <see cref="ClaimMethod"/>.</summary>
    public const string Identify = "1";

    /// <summary><c>method</c>: a back end's event. As <see cref="ClaimMethod"/>.</summary>
    public const string Webhook = "2";

    /// <summary><c>named</c>: the identifier was named as an externalId. As <see cref="IdentifierKind"/>.</summary>
    public const string NamedExternal = "2";

    /// <summary><c>named</c>: the identifier was named as a userId of which nobody had said what it is the id of. As <see cref="IdentifierKind"/>.</summary>
    public const string NamedBare = "3";

    /// <summary><c>standing</c>: an operator revoked it, or it is one too many of its day (B13).</summary>
    public const string Excluded = "0";

    /// <summary><c>standing</c>: it counts.</summary>
    public const string Stands = "1";

    /// <summary><c>standing</c>: it counts, but lies in a part of its session that an operator freed.</summary>
    public const string Freed = "2";
}
