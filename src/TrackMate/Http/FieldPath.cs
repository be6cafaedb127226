namespace TrackMate.Http;

/// <summary>Where in a body something stands, as the sender would write it: <c>events[3].identifier.email</c>. Only put together when it has to be said.</summary>
internal readonly record struct FieldPath(int Index, string? Parent, string? Name)
{
    public static readonly FieldPath Body = new(-1, null, null);

    public FieldPath Of(string name) => this with { Parent = Name is null ? Parent : ToString(), Name = name, Index = Name is null ? Index : -1 };

    /// <summary>Its wire name, as <c>errors</c> has it; null for the body itself, which has none.</summary>
    public string? WireName => this == Body ? null : ToString();

    public override string ToString() =>
        this == Body ? "The body" : string.Join('.', new[] { Index < 0 ? null : $"events[{Index}]", Parent, Name }.OfType<string>());
}
