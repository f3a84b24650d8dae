/** How a message says what its body is beyond its kind. */

/** The property with the media type of a body. */
export const CONTENT_TYPE = "contentType";

/** The media type of JSON. */
export const JSON_TYPE = "application/json";
