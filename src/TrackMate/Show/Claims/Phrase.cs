namespace TrackMate.Show;

/// <summary>A part of a sentence: our words, or a value from outside that is set apart from them.</summary>
/// <param name="Href">Where a value leads.</param>
public sealed record Phrase(string Text, bool IsValue = false, string? Href = null)
{
    public static implicit operator Phrase(string words) => new(words);
}
