namespace TrackMate.Store.Tables;

/// <summary>Who acts, when, and whether only to see what would move.</summary>
/// <param name="Actor">A member's name, or the first characters of an API key.</param>
/// <param name="At">Unix milliseconds.</param>
public sealed record ActBy(string Actor, long At, bool DryRun);
