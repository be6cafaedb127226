namespace TrackMate.Http;

/// <summary>Text of addresses and forms that no store takes: a zero character, or half of a surrogate pair.</summary>
internal static class AddressText
{
    /// <exception cref="RejectionException">The path or a parameter holds such text.</exception>
    public static Task Middleware(HttpContext http, RequestDelegate next)
    {
        if (!IsText(http.Request.Path.Value)) throw new RejectionException(Reason.BadText, "The address holds a zero character or half of a surrogate pair.");
        foreach (var (name, values) in http.Request.Query)
        {
            if (!IsText(name) || !values.All(IsText)) throw new RejectionException(Reason.BadText, "A parameter of the address holds a zero character or half of a surrogate pair.", IsText(name) ? name : null);
        }

        return next(http);
    }

    /// <exception cref="RejectionException">A field holds such text.</exception>
    public static void Check(IFormCollection form)
    {
        if (!form.All(field => IsText(field.Key) && field.Value.All(IsText))) throw new RejectionException(Reason.BadText, "A field of the form holds a zero character or half of a surrogate pair.");
    }

    public static bool IsText(string? text)
    {
        for (var i = 0; i < text?.Length; i++)
        {
            if (text[i] == '\0') return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }
}
