namespace TrackMate.Bind;

/// <summary>What a sender knows a person by, apart from a session. The numbers are stored.</summary>
public enum IdentifierKind
{
    Email = 1,
    External = 2,

    /// <summary>A profile's id that no identifier has turned up for yet (B4, <c>unknown_userid</c>).</summary>
    Bare = 3,
}

/// <summary>One identifier in its compared form, with the id that is its own for ever (B9).</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The e-mail as <see cref="EmailAddress"/> compares it, the externalId as sent, or the bare id's hex digits.</param>
/// <param name="Id">The <see cref="Company.KeyedId"/> of its kind and value; of a bare id, that id itself.</param>
public sealed record Identifier(IdentifierKind Kind, string Value, ProfileId Id)
{
    /// <param name="company">Whose secret keys the id.</param>
    /// <param name="normalized">An address as <see cref="EmailAddress.TryNormalize"/> returns it.</param>
    public static Identifier Email(Company company, string normalized) => new(IdentifierKind.Email, normalized, company.KeyedId("email", normalized));

    public static Identifier External(Company company, string value) => new(IdentifierKind.External, value, company.KeyedId("external", value));

    public static Identifier Bare(ProfileId id) => new(IdentifierKind.Bare, id.ToString(), id);
}
