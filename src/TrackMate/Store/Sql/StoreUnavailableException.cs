namespace TrackMate.Store.Sql;

/// <summary>The store cannot take it now; nothing of it is stored, and the sender may send it again. A 503 with Retry-After.</summary>
public class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether a writer may still read what was to be stored, so that its memory must not be used for anything else.</summary>
    public bool IsInUse { get; init; }

    /// <summary>What it was in truth, without the full stop and without where in a statement: our own sentence is for whoever sent something.</summary>
    public static string CauseOf(Exception e)
    {
        var cause = (e as StoreUnavailableException)?.InnerException ?? e;
        var last = cause.GetBaseException();
        return last == cause ? LineOf(cause) : $"{LineOf(cause)}: {LineOf(last)}";
    }

    private static string LineOf(Exception e) => e.Message.Split('\n')[0].Trim().TrimEnd('.');
}
