using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>A person as the store holds it: a connected set of identifiers, known by the id of the one that stands for all (B9).</summary>
/// <param name="Id">The canonical id: that of the e-mail first named earliest, else of the externalId.</param>
/// <param name="Identifiers">All of them, the canonical first.</param>
public sealed record Person(Company Company, ProfileId Id, IReadOnlyList<KnownIdentifier> Identifiers)
{
    public string? Email => Identifiers.FirstOrDefault(identifier => identifier.Identifier.Kind is IdentifierKind.Email)?.Identifier.Value;

    /// <summary>Unix milliseconds of the earliest message that named it by e-mail or externalId; 0 where none has.</summary>
    public long CreatedAt => Identifiers.Min(identifier => identifier.FirstNamed) ?? 0;
}

/// <summary>Where a person stands among those of its company by when they were created: where the first of its identifiers does.</summary>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="Number">The store's own number of the identifier.</param>
public readonly record struct PersonPlace(long CreatedAt, long Number);

/// <param name="Number">The store's own number.</param>
/// <param name="FirstNamed">Unix milliseconds of the earliest message that named it; null for a bare id.</param>
public sealed record KnownIdentifier(long Number, Identifier Identifier, long? FirstNamed);
