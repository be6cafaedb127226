namespace TrackMate.Store.Rebuild;

/// <summary>The parts of applying a changed setting, in the order in which they run. Their names are stored.</summary>
internal enum RebuildPart
{
    /// <summary>Deletes the rows that an earlier change has written, if a second change replaces it.</summary>
    ClearLedger,
    WriteLedger,

    /// <summary>Splits runs of server events, if the new gap is shorter.</summary>
    SplitRuns,

    /// <summary>Puts the derived rows into effect.</summary>
    Switch,

    /// <summary>Merges runs, if the new gap is longer.</summary>
    MergeRuns,

    /// <summary>Deletes the rows of the ledger that was read before.</summary>
    TidyLedger,
    Claims,
    Persons,
}

/// <summary>How far a part has come: a key of the table that it reads, and the number of events, days or pairs before it.</summary>
internal readonly record struct RebuildPlace(long First, long Second, long Third, long Done)
{
    public static readonly RebuildPlace Beginning = new(long.MinValue, long.MinValue, long.MinValue, 0);

    public static RebuildPlace Parse(string text) => text.Split(' ') is [var first, var second, var third, var done]
        ? new(long.Parse(first), long.Parse(second), long.Parse(third), long.Parse(done))
        : throw new FormatException($"'{text}' is no place in a rebuild.");

    public override string ToString() => $"{First} {Second} {Third} {Done}";
}
