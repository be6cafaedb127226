namespace TrackMate.Store;

/// <summary>The store cannot take it now; nothing of it is stored, and the sender may send it again. A 503 with Retry-After.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What it was in truth, without the full stop and without where in a statement: our own sentence is for whoever sent something.</summary>
    public static string CauseOf(Exception e)
    {
        var cause = (e as StoreUnavailableException)?.InnerException ?? e;
        var last = cause.GetBaseException();
        return last == cause ? LineOf(cause) : $"{LineOf(cause)}: {LineOf(last)}";
    }

    private static string LineOf(Exception e) => e.Message.Split('\n')[0].Trim().TrimEnd('.');
}
