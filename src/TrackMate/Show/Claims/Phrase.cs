namespace TrackMate.Show;

/// <summary>A part of a sentence: our words, or a value from outside, which is set apart from them.</summary>
/// <param name="Href">The link of a value.</param>
public sealed record Phrase(string Text, bool IsValue = false, string? Href = null)
{
    public static implicit operator Phrase(string words) => new(words);
}
